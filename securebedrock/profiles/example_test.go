package profiles_test

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

// The client assumes its role by itself. The resolver signs with the
// configuration's own credentials; a copy of the configuration gives it the same
// role, or one that may do nothing but bedrock:GetInferenceProfile.
func ExampleNew() {
	const (
		home = "eu-central-1"
		role = "arn:aws:iam::123456789012:role/inference"
	)
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(home))
	if err != nil {
		log.Fatal(err)
	}

	regionalSTS := sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.BaseEndpoint = aws.String("https://sts." + home + ".amazonaws.com") // whatever AWS_ENDPOINT_URL_STS says
	})
	asking := cfg.Copy()
	asking.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(regionalSTS, role))

	resolver, err := profiles.New(asking, profiles.Options{Region: home})
	if err != nil {
		log.Fatal(err)
	}
	client, err := securebedrock.NewFromConfig(cfg, securebedrock.Options{
		Region:    home,
		Residency: securebedrock.Geography("eu"),
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
		Role:      &securebedrock.Role{ARN: role},
		Profiles:  resolver,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
}
