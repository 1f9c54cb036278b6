package profiles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagent"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// askRouter asks for the models of a prompt router, each of which it may choose.
func (r *Resolver) askRouter(ctx context.Context, m securebedrock.Model) ([]string, time.Duration, error) {
	out, err := r.client.GetPromptRouter(ctx, &bedrock.GetPromptRouterInput{PromptRouterArn: &m.ID})
	switch {
	case err != nil:
		return nil, 0, err
	case aws.ToString(out.PromptRouterArn) != m.ID:
		return nil, 0, unusable(errors.New("it is about another prompt router"))
	case out.Status != types.PromptRouterStatusAvailable:
		return nil, 0, unusable(fmt.Errorf("its status is %q and not AVAILABLE", out.Status))
	case out.FallbackModel == nil || len(out.Models) == 0:
		return nil, 0, unusable(errors.New("it lists no models or no fallback model"))
	}
	var all []string
	for _, t := range append(slices.Clone(out.Models), *out.FallbackModel) {
		list, err := r.target(ctx, m.Kind, aws.ToString(t.ModelArn))
		if err != nil {
			return nil, 0, err
		}
		all = append(all, list...)
	}
	return distinct(all), r.own, nil
}

// askPrompt asks for the models of a managed prompt, in all its variants. The
// draft, which an ARN without a version names, changes with every edit: its
// answer is not kept.
func (r *Resolver) askPrompt(ctx context.Context, m securebedrock.Model) ([]string, time.Duration, error) {
	if r.agent == nil {
		return nil, 0, fmt.Errorf("%w: prompts are asked for at bedrock-agent, another host than Options.Endpoint's; set Options.AgentEndpoint", securebedrock.ErrEndpoint)
	}
	prompt, _ := regions.ParseARN(m.ID)
	_, id, _ := strings.Cut(prompt.Resource, "/")
	id, version, published := strings.Cut(id, ":")
	arn := strings.TrimSuffix(m.ID, ":"+version)
	in := &bedrockagent.GetPromptInput{PromptIdentifier: &arn}
	if prompt.Partition != "aws" { // the ARNs of which alone the operation takes (its model, PromptIdentifier)
		in.PromptIdentifier = &id
	}
	ttl := time.Duration(0)
	if published {
		in.PromptVersion, ttl = &version, r.own
	} else {
		version = "DRAFT"
	}
	out, err := r.agent.GetPrompt(ctx, in)
	switch {
	case err != nil:
		return nil, 0, err
	case aws.ToString(out.Arn) != arn && aws.ToString(out.Arn) != m.ID, aws.ToString(out.Version) != version:
		return nil, 0, unusable(errors.New("it is about another prompt or version"))
	case len(out.Variants) == 0:
		return nil, 0, unusable(errors.New("it lists no variants"))
	}
	var all []string
	for _, v := range out.Variants {
		if v.GenAiResource != nil || v.ModelId == nil {
			return nil, 0, unusable(errors.New("a variant names an agent or no model"))
		}
		list, err := r.target(ctx, m.Kind, *v.ModelId)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, list...)
	}
	return distinct(all), ttl, nil
}

// target tells where a model runs that a router or a prompt names. It asks anew,
// so that no answer is used beyond its own time. A prompt may name a router, and
// neither may name a prompt.
func (r *Resolver) target(ctx context.Context, above securebedrock.ModelKind, id string) ([]string, error) {
	if a, ok := regions.ParseARN(id); ok && a.Service == "bedrock" && strings.HasPrefix(a.Resource, "foundation-model/") {
		switch {
		case a.Partition != r.partition || a.Account != "" || a.Region != "" && !regions.Valid(a.Region):
			return nil, unusable(errors.New("a model of it is of another partition, or no foundation model"))
		case a.Region == "":
			return []string{regions.Anywhere}, nil
		}
		return []string{a.Region}, nil
	}
	m, err := r.parse(id)
	if err != nil {
		return nil, unusable(err)
	}
	switch m.Kind {
	case securebedrock.KindPrompt:
	case securebedrock.KindPromptRouter:
		if above == securebedrock.KindPrompt {
			list, _, err := r.askRouter(ctx, m)
			return list, err
		}
	case securebedrock.KindInferenceProfile, securebedrock.KindApplicationProfile, securebedrock.KindUnknown:
		list, _, err := r.askProfile(ctx, m)
		return list, err
	default: // of the region, whose ARN parse has compared
		return []string{r.region}, nil
	}
	return nil, unusable(fmt.Errorf("%w: a %s of it names a %s", securebedrock.ErrModel, above, m.Kind))
}

func unusable(err error) error {
	return fmt.Errorf("the control plane's answer cannot be used: %w", err)
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
