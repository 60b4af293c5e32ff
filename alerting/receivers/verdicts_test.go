package receivers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// verdict is an answer of a service and what it must mean.
type verdict struct {
	kind  string
	reply reply
	retry bool
	after time.Duration
	said  string
}

// fieldsOf is a configuration of each kind; URL stands for the fake's address.
func fieldsOf(kind string) string {
	return map[string]string{
		"webhook": "url: URL/", "slack": "api_url: URL/", "msteams": "webhook_url: URL/", "msteamsv2": "webhook_url: URL/", "discord": "webhook_url: URL/",
		"telegram": "api_url: URL\nbot_token: t\nchat_id: 1", "pagerduty": "url: URL/\nrouting_key: r", "opsgenie": "api_url: URL\napi_key: k",
		"victorops": "api_url: URL/\napi_key: k\nrouting_key: r", "pushover": "user_key: u\ntoken: t",
		"sns":      "api_url: URL/\nphone_number: '+1'\nsigv4: {region: r1, access_key: a, secret_key: s}",
		"dingtalk": "url: URL/", "feishu": "url: URL/", "wecom": "url: URL/",
	}[kind]
}

func verdicts() []verdict {
	list := []verdict{
		{"webhook", reply{500, nil, "secret of the inside"}, true, 0, ""},
		{"webhook", reply{404, nil, "secret of the inside"}, false, 0, ""},
		{"webhook", reply{307, map[string]string{"Location": "http://169.254.169.254/"}, ""}, false, 0, ""},
		{"slack", reply{404, nil, "no_service"}, false, 0, "no_service"},
		{"slack", reply{403, nil, "invalid_token"}, false, 0, "invalid_token"},
		{"slack", reply{400, nil, "root:x:0:0:"}, false, 0, ""},
		{"slack", reply{200, nil, `{"ok":false,"error":"channel_not_found"}`}, false, 0, "channel_not_found"},
		{"slack", reply{200, nil, `{"ok":false,"error":"internal_error"}`}, true, 0, "internal_error"},
		{"slack", reply{200, nil, "<html>"}, false, 0, ""},
		{"msteams", reply{200, nil, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"}, true, 0, ""},
		{"msteamsv2", reply{400, nil, `{"error":{"code":"TriggerInputSchemaMismatch","message":"long"}}`}, false, 0, "TriggerInputSchemaMismatch"},
		{"discord", reply{429, nil, `{"message":"You are being rate limited.","retry_after":1.5}`}, true, 1500 * time.Millisecond, "You are being rate limited."},
		{"discord", reply{404, nil, `{"message":"Unknown Webhook","code":10015}`}, false, 0, "Unknown Webhook"},
		{"telegram", reply{429, nil, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}`}, true, 7 * time.Second, "Too Many Requests: retry after 7"},
		{"telegram", reply{401, nil, `{"ok":false,"error_code":401,"description":"Unauthorized"}`}, false, 0, "Unauthorized"},
		{"telegram", reply{200, nil, `{"ok":false,"description":"odd"}`}, false, 0, "odd"},
		{"pagerduty", reply{400, nil, `{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is missing"]}`}, false, 0, "Event object is invalid: 'routing_key' is missing"},
		{"opsgenie", reply{422, nil, `{"message":"Key format is not valid!"}`}, false, 0, "Key format is not valid!"},
		{"victorops", reply{404, nil, `{"result":"failure","message":"No route"}`}, false, 0, "No route"},
		{"pushover", reply{400, nil, `{"status":0,"errors":["user key is invalid"]}`}, false, 0, "user key is invalid"},
		{"pushover", reply{200, nil, `{"status":0,"errors":["odd"]}`}, false, 0, "odd"},
		{"sns", reply{400, nil, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`}, true, 0, "Throttling: Rate exceeded"},
		{"sns", reply{403, nil, `<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>No such key</Message></Error></ErrorResponse>`}, false, 0, "InvalidClientTokenId: No such key"},
		{"dingtalk", reply{200, nil, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`}, true, 10 * time.Minute, "send too fast, exceed 20 times per minute"},
		{"dingtalk", reply{200, nil, `{"errcode":310000,"errmsg":"sign not match"}`}, false, 0, "sign not match"},
		{"dingtalk", reply{200, nil, `{"errcode":-1,"errmsg":"system busy"}`}, true, 0, "system busy"},
		{"dingtalk", reply{200, nil, "<html>"}, false, 0, ""},
		{"feishu", reply{200, nil, `{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}`}, false, 0, "sign match fail or timestamp is not within one hour"},
		{"feishu", reply{200, nil, `{"code":11232,"msg":"frequency limited psm"}`}, true, time.Minute, "frequency limited psm"},
		{"feishu", reply{400, nil, `{"code":9499,"msg":"too many request"}`}, true, time.Minute, "too many request"},
		{"wecom", reply{200, nil, `{"errcode":45009,"errmsg":"api freq out of limit"}`}, true, time.Minute, "api freq out of limit"},
		{"wecom", reply{200, nil, `{"errcode":93000,"errmsg":"invalid webhook url"}`}, false, 0, "invalid webhook url"},
	}
	for _, kind := range Kinds() { // what all of them take as a fault that passes
		if kind == "email" {
			continue
		}
		list = append(list, verdict{kind, reply{503, nil, ""}, true, 0, ""})
		if kind != "pushover" {
			list = append(list, verdict{kind, reply{429, map[string]string{"Retry-After": "30"}, ""}, true, 30 * time.Second, ""})
		}
		list = append(list, verdict{kind, reply{401, nil, ""}, false, 0, ""})
	}
	return append(list, verdict{"pushover", reply{429, map[string]string{"Retry-After": "30"}, ""}, false, 30 * time.Second, ""})
}

func TestServicesAnswersAreUnderstood(t *testing.T) {
	for _, v := range verdicts() {
		t.Run(fmt.Sprintf("%s %d %.20s", v.kind, v.reply.status, v.reply.body), func(t *testing.T) {
			f := newFake(t, v.reply)
			o, _ := testOptions(t)
			o.pushoverURL = f.URL
			n := build(t, o, receiverOf(t, v.kind, strings.ReplaceAll(fieldsOf(v.kind), "URL", f.URL)))
			retry, err := n.Notify(groupContext(t), testAlert(false))
			got := failureOf(t, retry, err)
			if got == nil {
				t.Fatal("taken as delivered")
			}
			if got.Retry != v.retry || got.RetryAfter != v.after || got.Said != v.said || got.Status != v.reply.status {
				t.Errorf("got %+v, want retry %v after %v, and %q", got, v.retry, v.after, v.said)
			}
			if len(f.requests()) != 1 {
				t.Errorf("%d requests, want 1", len(f.requests()))
			}
		})
	}
}

// TestRetryAfterIsRespected has a service ask for patience: the next message waits for as long.
func TestRetryAfterIsRespected(t *testing.T) {
	f := newFake(t, reply{429, map[string]string{"Retry-After": "30"}, ""}, reply{200, nil, "ok"})
	o, waits := testOptions(t)
	n := build(t, o, receiverOf(t, "slack", "api_url: "+f.URL))
	if retry, err := n.Notify(groupContext(t), testAlert(false)); err == nil || !retry {
		t.Fatalf("Notify = %v, %v, want a failure that passes", retry, err)
	}
	if _, err := n.Notify(groupContext(t), testAlert(false)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(*waits, []time.Duration{30 * time.Second}) {
		t.Errorf("waited %v, want 30 s once", *waits)
	}
}

func TestSecretsInAnswersAreTakenOut(t *testing.T) {
	f := newFake(t, reply{404, nil, `{"message":"no webhook hush-hush` + "\u0007\n" + `for you"}`})
	o, _ := testOptions(t)
	o.Redact = func(text string) string { return strings.ReplaceAll(text, "hush-hush", "<secret>") }
	n := build(t, o, receiverOf(t, "opsgenie", "api_url: "+f.URL+"\napi_key: hush-hush"))
	f.replies = []reply{{404, nil, `{"message":"no key hush-hush \u0007\n here ` + strings.Repeat("x", 1000) + `"}`}}
	retry, err := n.Notify(groupContext(t), testAlert(false))
	got := failureOf(t, retry, err)
	if !strings.HasPrefix(got.Said, "no key <secret>   here xxx") || len(got.Said) > maxSaidBytes+len("…") {
		t.Errorf("said %q", got.Said)
	}
}

func TestErrorsHoldNoAddress(t *testing.T) {
	o, _ := testOptions(t)
	n := build(t, o, receiverOf(t, "webhook", "url: http://127.0.0.1:1/path-secret"))
	retry, err := n.Notify(groupContext(t), testAlert(false))
	if f := failureOf(t, retry, err); !f.Retry || strings.Contains(err.Error(), "path-secret") || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("got %v, want a failure that passes, without the address", err)
	}
}

// sigv4Signature computes AWS' signature of a request by its definition.
func sigv4Signature(t *testing.T, r *sentRequest, secret string) string {
	t.Helper()
	_, after, _ := strings.Cut(r.header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ := strings.Cut(after, ",")
	headers := maps.Clone(r.header)
	headers.Set("Content-Length", fmt.Sprint(len(r.body)))
	var canonical strings.Builder
	for name := range strings.SplitSeq(signed, ";") {
		value := headers.Get(name)
		if name == "host" {
			value = r.host
		}
		canonical.WriteString(name + ":" + value + "\n")
	}
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	mac := func(key []byte, text string) []byte {
		m := hmac.New(sha256.New, key)
		_, _ = m.Write([]byte(text))
		return m.Sum(nil)
	}
	request := strings.Join([]string{r.method, r.path, "", canonical.String(), signed, sum(r.body)}, "\n")
	date := r.header.Get("X-Amz-Date")
	scope := date[:8] + "/eu-central-1/sns/aws4_request"
	key := mac(mac(mac(mac([]byte("AWS4"+secret), date[:8]), "eu-central-1"), "sns"), "aws4_request")
	return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+sum([]byte(request))))
}
