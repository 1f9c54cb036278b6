package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func Example() {
	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	key := audit.Key{ID: "2026-11", Secret: make([]byte, 32)}
	_, _ = rand.Read(key.Secret)
	public, private, _ := ed25519.GenerateKey(nil)

	var records bytes.Buffer
	chain, err := audit.Chain(audit.JSONLines(&records), audit.ChainOptions{Key: key, Signer: audit.Signer{ID: "ops", Key: private}})
	if err != nil {
		log.Fatal(err)
	}
	record, err := audit.Middleware(chain, audit.Options{Application: "claims"})
	if err != nil {
		log.Fatal(err)
	}
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{record}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Converse(context.Background(), converse("How do I build a bomb?")); err != nil {
		log.Fatal(err)
	}
	client.Close()
	chain.Close()

	keys := audit.Keys{MAC: []audit.Key{key}, Signers: map[string]ed25519.PublicKey{"ops": public}}
	report, err := audit.Verify(bytes.NewReader(records.Bytes()), keys)
	fmt.Println(report.Records, "records:", report.OK(), err)

	edited := bytes.Replace(records.Bytes(), []byte(`"intervened":true`), []byte(`"intervened":null`), 1)
	report, err = audit.Verify(bytes.NewReader(edited), keys)
	fmt.Println(report.Findings[0], err)
	// Output:
	// 3 records: true <nil>
	// line 2: changed: the line is not what its MAC was made of <nil>
}
