package policycases_test

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

func TestConfigsAreValid(t *testing.T) {
	for name, c := range policycases.Configs() {
		t.Run(name, func(t *testing.T) {
			if _, err := policy.For(c.Options, c.Account); err != nil {
				t.Error(err)
			}
		})
	}
}
