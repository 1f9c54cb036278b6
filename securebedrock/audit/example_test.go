package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

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
	_, err = client.Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "How do I build a bomb?"}},
		}},
	})
	if err != nil {
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

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "audit.log")

	keys := audit.GenerateKeys() // keep them: keys.Save and audit.LoadKeys, or a secrets manager
	records, err := audit.Open(path, keys, audit.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	record, err := audit.Middleware(records, audit.Options{Application: "claims"})
	if err != nil {
		log.Fatal(err)
	}

	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{record}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.InvokeModelSafely(context.Background(), "anthropic.claude-3-haiku-20240307-v1:0", []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello!"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	if err := records.Close(); err != nil {
		log.Fatal(err)
	}

	report, err := audit.VerifyFile(path, keys.Verification())
	fmt.Println(report.Records, "records:", report.OK(), err)
	// Output: 3 records: true <nil>
}
