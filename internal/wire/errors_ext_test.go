package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
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

// Every exception of the API's model has its status, and arrives with all its members.
func TestEveryException(t *testing.T) {
	m := aws.String("m")
	for want, status := range map[smithy.APIError]int{
		&types.AccessDeniedException{Message: m}: 403, &types.ConflictException{Message: m}: 400, &types.InternalServerException{Message: m}: 500,
		&types.ModelErrorException{Message: m, OriginalStatusCode: aws.Int32(529), ResourceName: aws.String("r")}:          424,
		&types.ModelStreamErrorException{Message: m, OriginalMessage: aws.String("o"), OriginalStatusCode: aws.Int32(500)}: 424,
		&types.ModelNotReadyException{Message: m}: 429, &types.ModelTimeoutException{Message: m}: 408, &types.ResourceNotFoundException{Message: m}: 404,
		&types.ServiceQuotaExceededException{Message: m}: 400, &types.ServiceUnavailableException{Message: m}: 503, &types.ThrottlingException{Message: m}: 429,
		&types.ValidationException{Message: m}: 400,
	} {
		e := wire.ErrorOf(fmt.Errorf("wrapped: %w", want))
		if e.Status != status || wire.StatusOf(want.ErrorCode()) != status {
			t.Errorf("%s: %d, want %d", want.ErrorCode(), e.Status, status)
		}
		_, err := sdkClient(func(w http.ResponseWriter, _ *http.Request) {
			header, body := e.Encode()
			send(w, e.Status, header, body)
		}).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: m, Messages: []types.Message{}})
		var have smithy.APIError
		if !errors.As(err, &have) || !reflect.DeepEqual(have, want) {
			t.Errorf("%#v, want %#v", have, want)
		}
	}
}
