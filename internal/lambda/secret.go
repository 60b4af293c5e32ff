package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// maxSecretBytes is what Secrets Manager keeps at most, with room for the answer around it.
const maxSecretBytes = 128 << 10

// SecretOptions says where a secret is and who asks for it.
type SecretOptions struct {
	// ARN is the secret's; the region is in it.
	ARN string
	// Endpoint is another address of Secrets Manager, "" for that of the region.
	Endpoint string
	// AccessKeyID, SecretAccessKey and SessionToken are the function's own, which Lambda has in the environment.
	AccessKeyID, SecretAccessKey, SessionToken string
	// Now is the clock that requests are signed by.
	Now func() time.Time
}

// region reads the region of a secret's ARN: arn:aws:secretsmanager:<region>:<account>:secret:<name>.
func (o *SecretOptions) region() (string, error) {
	parts := strings.SplitN(o.ARN, ":", 7)
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "secretsmanager" || parts[3] == "" {
		return "", fmt.Errorf("%q is not the ARN of a secret in Secrets Manager", o.ARN)
	}
	return parts[3], nil
}

// FindSecret reads a secret's text from AWS Secrets Manager. A function's environment is shown to whoever may look at the function, so
// what is secret is not in it.
func FindSecret(ctx context.Context, o *SecretOptions) (string, error) {
	region, err := o.region()
	if err != nil {
		return "", err
	}
	if o.AccessKeyID == "" || o.SecretAccessKey == "" {
		return "", errors.New("the function's role has no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
	}
	endpoint := o.Endpoint
	if endpoint == "" {
		endpoint = "https://secretsmanager." + region + ".amazonaws.com"
		if strings.HasPrefix(region, "cn-") {
			endpoint += ".cn"
		}
	}
	body, err := json.Marshal(map[string]string{"SecretId": o.ARN})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	keys := aws.Credentials{AccessKeyID: o.AccessKeyID, SecretAccessKey: o.SecretAccessKey, SessionToken: o.SessionToken}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "secretsmanager", region, o.Now()); err != nil {
		return "", fmt.Errorf("sign the request for a secret: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask Secrets Manager: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxSecretBytes))
	if err != nil {
		return "", fmt.Errorf("ask Secrets Manager: %w", err)
	}
	return readSecret(o.ARN, resp.StatusCode, text)
}

// readSecret reads the answer. An error never quotes it, but for what AWS calls the error.
func readSecret(arn string, status int, text []byte) (string, error) {
	var answer struct {
		SecretString string
		Type         string `json:"__type"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("ask Secrets Manager: it answered %d and no JSON", status)
	}
	switch {
	case status != http.StatusOK:
		return "", fmt.Errorf("ask Secrets Manager: it answered %d %s for %s", status, answer.Type, arn)
	case answer.SecretString == "":
		return "", fmt.Errorf("%s holds no text", arn)
	}
	return strings.TrimSpace(answer.SecretString), nil
}
