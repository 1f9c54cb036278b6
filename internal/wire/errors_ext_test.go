package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// The SDK reads an encoded error as its own type, with the status of the API's model.
func TestErrorsAreTheSDKs(t *testing.T) {
	for _, row := range []struct {
		err    error
		code   string
		status int
	}{
		{&types.ThrottlingException{Message: aws.String("slow")}, "ThrottlingException", 429},
		{fmt.Errorf("wrapped: %w", &types.AccessDeniedException{Message: aws.String("slow")}), "AccessDeniedException", 403},
		{wire.ErrorOfException("modelTimeoutException", "slow"), "ModelTimeoutException", 408},
		{fmt.Errorf("wrapped: %w", wire.Invalid("sl%s", "ow")), "ValidationException", 400},
		{errors.New("slow"), "ModelErrorException", 424},
		{&smithy.GenericAPIError{Code: "NewException", Message: "slow"}, "NewException", 500},
	} {
		c := sdkClient(func(w http.ResponseWriter, _ *http.Request) {
			e := wire.ErrorOf(row.err)
			header, body := e.Encode()
			send(w, e.Status, header, body)
		})
		_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m")})
		var api smithy.APIError
		var response *awshttp.ResponseError
		if !errors.As(err, &api) || api.ErrorCode() != row.code || api.ErrorMessage() != "slow" || !errors.As(err, &response) || response.HTTPStatusCode() != row.status {
			t.Errorf("%v: %v", row.err, err)
		}
	}
}
