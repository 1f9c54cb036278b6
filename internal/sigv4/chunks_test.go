package sigv4

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// docClaim is a claim of the examples in AWS's documentation
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html).
func docClaim(t testing.TB, hash, seed string) *Claim {
	t.Helper()
	signature, err := hex.DecodeString(seed)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := NewSecret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").signingKey(scope{"20130524", "us-east-1", "s3"})
	return &Claim{Hash: hash, Region: "us-east-1", Service: "s3", scopeDate: "20130524", amzDate: "20130524T000000Z", signature: signature, key: key}
}

const (
	docSeed        = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	docTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
	crc32c         = "x-amz-checksum-crc32c"
)

func docBody() string {
	return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
}

func docTrailerBody() string {
	return "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
		crc32c + ":sOO8/Q==\r\n" +
		"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
}

// The examples of AWS's documentation are read, however the bytes arrive.
func TestChunksOfTheDocumentation(t *testing.T) {
	for _, row := range []struct {
		body     string
		claim    *Claim
		trailers []string
	}{
		{docBody(), docClaim(t, PayloadChunks, docSeed), nil},
		{docTrailerBody(), docClaim(t, PayloadChunksTrailer, docTrailerSeed), []string{crc32c}},
		{docTrailerBody(), nil, []string{crc32c}},
	} {
		for name, in := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "by the byte": iotest.OneByteReader, "by halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
		} {
			c, err := NewChunks(in(strings.NewReader(row.body)), ChunkOptions{Claim: row.claim, Length: 66560, Trailers: row.trailers})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || string(got) != strings.Repeat("a", 66560) || !c.Complete() {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("%s: after the end: %d, %v", name, n, err)
			}
		}
	}
}

// A body that differs anywhere from what was signed never ends well.
func TestChunksRefused(t *testing.T) {
	signed, trailed := docBody(), docTrailerBody()
	replace := strings.NewReplacer
	for _, row := range []struct {
		name string
		body string
		says string
	}{
		{"another byte", strings.Replace(signed, "aaaa", "aaab", 1), "signature of a chunk"},
		{"another byte at the end", strings.Replace(signed, "a\r\n0;", "b\r\n0;", 1), "signature of a chunk"},
		{"another signature", strings.Replace(signed, "ad80", "ad81", 1), "signature of a chunk"},
		{"another last signature", strings.Replace(signed, "b6c6", "b6c7", 1), "signature of a chunk"},
		{"no signature", strings.Replace(signed, "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "400", 1), "not signed"},
		{"a short signature", strings.Replace(signed, "0055627c", "0055", 1), "no chunk-signature"},
		{"another extension", strings.Replace(signed, "400;chunk-signature=", "400;name=", 1), "no chunk-signature"},
		{"two extensions", strings.Replace(signed, "400;chunk-signature=", "400;a=b;chunk-signature=", 1), "no chunk-signature"},
		{"no last chunk", signed[:strings.Index(signed, "0;chunk-signature=b6c6")], "unexpected EOF"},
		{"no first chunk", signed[strings.Index(signed, "400;"):], "signature of a chunk"},
		{"the first chunk twice", signed[:strings.Index(signed, "400;")] + signed, "longer than X-Amz-Decoded-Content-Length"},
		{"cut in a chunk", signed[:1000], "unexpected EOF"},
		{"cut in a line", signed[:10], "unexpected EOF"},
		{"cut before the last line", signed[:len(signed)-2], "unexpected EOF"},
		{"bytes after the end", signed + "x", "bytes follow"},
		{"a line after the end", signed + "\r\n", "bytes follow"},
		{"a second body", signed + signed, "bytes follow"},
		{"a size of no hex", strings.Replace(signed, "10000;", "1000g;", 1), "not hexadecimal"},
		{"a size with a sign", strings.Replace(signed, "10000;", "+10000;", 1), "not hexadecimal"},
		{"a size with 0x", strings.Replace(signed, "10000;", "0x10000;", 1), "not hexadecimal"},
		{"a size with a space", strings.Replace(signed, "10000;", " 10000;", 1), "not hexadecimal"},
		{"no size", strings.Replace(signed, "10000;", ";", 1), "not hexadecimal"},
		{"a negative size", strings.Replace(signed, "10000;", "-1;", 1), "not hexadecimal"},
		{"a size beyond 63 bits", strings.Replace(signed, "10000;", "ffffffffffffffff;", 1), "longer than"},
		{"a long size", strings.Replace(signed, "10000;", strings.Repeat("0", 17)+";", 1), "not hexadecimal"},
		{"a smaller size", strings.Replace(signed, "10000;", "ffff;", 1), "longer than its size"},
		{"a larger size", strings.Replace(signed, "10000;", "10001;", 1), "CR LF"},
		{"LF alone", replace("\r\n", "\n").Replace(signed), "CR LF"},
		{"a line without an end", strings.Replace(signed, "10000;", "10000;"+strings.Repeat("a", 5000), 1), "too long"},
		{"a trailer that was not announced", signed[:len(signed)-2] + crc32c + ":sOO8/Q==\r\n\r\n", "not announced"},
		{"nothing", "", "unexpected EOF"},

		{"another checksum", strings.Replace(trailed, "sOO8", "sOO9", 1), "checksum of the body does not match"},
		{"no checksum", strings.Replace(trailed, crc32c+":sOO8/Q==\r\n", "", 1), "signature of a chunk or of the trailers"},
		{"two checksums", strings.Replace(trailed, crc32c, crc32c+":sOO8/Q==\r\n"+crc32c, 1), "twice"},
		{"another trailer", strings.Replace(trailed, crc32c, "x-amz-checksum-md5", 1), "not announced"},
		{"another signature of the trailers", strings.Replace(trailed, "d81f", "d81e", 1), "signature of a chunk or of the trailers"},
		{"no signature of the trailers", trailed[:strings.Index(trailed, "x-amz-trailer-signature")] + "\r\n", "not signed"},
		{"a trailer after the signature", trailed[:len(trailed)-2] + "a:b\r\n\r\n", "follows the trailers' signature"},
		{"a trailer without a colon", strings.Replace(trailed, crc32c+":", crc32c, 1), "no form"},
	} {
		o := ChunkOptions{Claim: docClaim(t, PayloadChunks, docSeed), Length: 66560}
		if strings.Contains(row.body, "b474d8862b") {
			o = ChunkOptions{Claim: docClaim(t, PayloadChunksTrailer, docTrailerSeed), Length: 66560, Trailers: []string{crc32c}}
		}
		c, err := NewChunks(strings.NewReader(row.body), o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(c)
		if err == nil || !strings.Contains(err.Error(), row.says) || c.Complete() {
			t.Errorf("%s: %v", row.name, err)
		}
		if _, again := c.Read(make([]byte, 1)); again != err {
			t.Errorf("%s: read again: %v", row.name, again)
		}
	}
	for length, says := range map[int64]string{66561: "shorter", 66559: "longer", 0: "longer"} {
		c, err := NewChunks(strings.NewReader(signed), ChunkOptions{Claim: docClaim(t, PayloadChunks, docSeed), Length: length})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%d bytes announced: %v", length, err)
		}
	}
	for name, o := range map[string]ChunkOptions{
		"an unknown trailer":           {Trailers: []string{"x-amz-checksum-md5"}},
		"trailers that nobody signs":   {Trailers: []string{crc32c}, Claim: docClaim(t, PayloadChunks, docSeed)},
		"more trailers than there are": {Trailers: strings.Fields(strings.Repeat(crc32c+" ", 17))},
	} {
		if _, err := NewChunks(strings.NewReader(signed), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	fault := errors.New("the connection is lost")
	c, err := NewChunks(io.MultiReader(strings.NewReader(signed[:1000]), iotest.ErrReader(fault)), ChunkOptions{Length: 66560})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); !errors.Is(err, fault) {
		t.Errorf("%v", err)
	}
}

// Every checksum is that of AWS: of the text 123456789, as catalogues of CRCs have it.
func TestChecksums(t *testing.T) {
	for name, want := range map[string]string{
		"x-amz-checksum-crc32":     "cbf43926",
		"x-amz-checksum-crc32c":    "e3069283",
		"x-amz-checksum-crc64nvme": "ae8b14860a799888",
		"x-amz-checksum-sha1":      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		"x-amz-checksum-sha256":    "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := checksum(name)
		_, _ = io.WriteString(h, "123456789")
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if len(checksumNames()) != 5 || checksum("x-amz-checksum-md5") != nil {
		t.Error("another checksum is known")
	}
}

// Whatever the bytes, the decoder ends, and returns no more than was announced. What
// it takes without a signature, it takes again from its own encoding.
func FuzzAwsChunked(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), int64(5), "")
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"), int64(5), "x-amz-checksum-crc32")
	f.Add([]byte("2;chunk-signature="+docSeed+"\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), int64(5), "")
	f.Add([]byte(docTrailerBody()[65600:]), int64(66560), crc32c)
	f.Fuzz(func(t *testing.T, body []byte, length int64, trailer string) {
		o := ChunkOptions{Length: length}
		if trailer != "" {
			o.Trailers = []string{trailer}
		}
		c, err := NewChunks(bytes.NewReader(body), o)
		if err != nil {
			return
		}
		got, err := io.ReadAll(c)
		if int64(len(got)) > max(length, 0) || len(got) > len(body) {
			t.Fatalf("%d bytes of %d announced and %d sent", len(got), length, len(body))
		}
		if err != nil {
			if c.Complete() {
				t.Fatal("it is complete with an error")
			}
			return
		}
		again := "0\r\n\r\n"
		if len(got) > 0 {
			again = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(got), got)
		}
		c, err = NewChunks(strings.NewReader(again), ChunkOptions{Length: length})
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := io.ReadAll(c); err != nil || !bytes.Equal(twice, got) {
			t.Fatalf("%q and %q, %v", got, twice, err)
		}
		// With a claim, only what was signed passes, and nobody has signed this.
		o.Claim = docClaim(t, PayloadChunksTrailer, docTrailerSeed)
		if c, err = NewChunks(bytes.NewReader(body), o); err == nil {
			if _, err := io.ReadAll(c); err == nil && string(body) != docTrailerBody() {
				t.Fatal("a body that nobody has signed passes")
			}
		}
	})
}
