package lambda

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:seamark/function-AbCdEf"

func secretOptions(endpoint string) *SecretOptions {
	return &SecretOptions{
		ARN: arn, Endpoint: endpoint, AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "the-key", SessionToken: "the-session",
		Now: func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) },
	}
}

func TestFindSecret(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != `{"SecretId":"`+arn+`"}` || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
			t.Errorf("Secrets Manager was asked %s with %v", body, r.Header)
		}
		signed := r.Header.Get("Authorization")
		if !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=") ||
			!strings.Contains(signed, "x-amz-security-token") || strings.Contains(signed, "the-key") {
			t.Errorf("the request is signed with %q", signed)
		}
		_, _ = io.WriteString(w, `{"ARN":"a","SecretString":"nats://seamark:word@nats-0:4222\n"}`)
	}))
	defer server.Close()
	got, err := FindSecret(t.Context(), secretOptions(server.URL))
	if err != nil || got != "nats://seamark:word@nats-0:4222" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFindSecretFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		answer string
		want   string
	}{
		"denied":  {http.StatusBadRequest, `{"__type":"AccessDeniedException","Message":"word"}`, "400 AccessDeniedException"},
		"no JSON": {http.StatusBadGateway, `word`, "502 and no JSON"},
		"binary":  {http.StatusOK, `{"SecretBinary":"word"}`, "holds no text"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = fmt.Fprint(w, tc.answer)
		}))
		_, err := FindSecret(t.Context(), secretOptions(server.URL))
		server.Close()
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: got error %v, want one with %q and nothing of the secret", name, err, tc.want)
		}
	}
}

func TestFindSecretRefuses(t *testing.T) {
	for name, change := range map[string]func(*SecretOptions){
		"a name":         func(o *SecretOptions) { o.ARN = "seamark/function" },
		"another ARN":    func(o *SecretOptions) { o.ARN = "arn:aws:s3:::bucket:x:y" },
		"no credentials": func(o *SecretOptions) { o.SecretAccessKey = "" },
	} {
		o := secretOptions("http://127.0.0.1:1")
		change(o)
		if _, err := FindSecret(t.Context(), o); err == nil || strings.Contains(err.Error(), "ask Secrets Manager: ") {
			t.Errorf("%s: got error %v, want one before anything is asked", name, err)
		}
	}
}
