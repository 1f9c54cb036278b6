package shapes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// secret is in every prompt of these tests, and in no message of the server's.
const secret = "Rumpelstiltskin"

// sign signs r as the SDK does, at a time of the test's choosing.
func sign(t *testing.T, s *bedrocktest.Server, r *http.Request, body []byte, service string, at time.Time) {
	t.Helper()
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(t.Context(), s.Credentials(), r, hex.EncodeToString(sum[:]), service, s.Region(), at); err != nil {
		t.Fatal(err)
	}
}
