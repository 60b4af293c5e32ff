package receivers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/notify"
)

// groupHash is the stable key of the tests' group.
func groupHash() string { return notify.Key(`{}:{alertname="DiskFull"}`).Hash() }

// delivered is one message that a service takes, and what its fake must have got.
type delivered struct {
	kind     string
	fields   string // URL stands for the fake's address
	resolved bool
	reply    reply
	check    func(t *testing.T, got []sentRequest)
}

func jsonCheck[T any](check func(t *testing.T, r *sentRequest, m *T)) func(*testing.T, []sentRequest) {
	return func(t *testing.T, got []sentRequest) {
		t.Helper()
		var m T
		got[0].decode(t, &m)
		check(t, &got[0], &m)
	}
}

func wantPath(t *testing.T, r *sentRequest, method, path string) {
	t.Helper()
	if r.method != method || r.path != path {
		t.Errorf("got %s %s, want %s %s", r.method, r.path, method, path)
	}
}

func wantText(t *testing.T, name, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("%s is %q and lacks %q", name, got, p)
		}
	}
}

func deliveries() []delivered {
	return slices.Concat(chatDeliveries(), pagerDeliveries(), robotDeliveries())
}

func chatDeliveries() []delivered {
	type slack struct {
		Channel     string
		Attachments []slackAttachment
	}
	type teams struct {
		Type, Title, Summary, Text, ThemeColor string
		Kind                                   string `json:"@type"`
	}
	type card struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type string
				Body []adaptiveBlock
			}
		}
	}
	type discord struct {
		Username string
		Embeds   []struct {
			Title, Description string
			Color              int
		}
		Mentions map[string][]string `json:"allowed_mentions"`
	}
	return []delivered{
		{kind: "slack", fields: "api_url: URL/services/T/B/x\nchannel: '#ops'", reply: reply{200, nil, "ok"}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *slack) {
			wantPath(t, r, "POST", "/services/T/B/x")
			if m.Channel != "#ops" || m.Attachments[0].Color != "danger" {
				t.Errorf("got %+v, want the channel and the color of an alert that fires", m)
			}
			wantText(t, "text", m.Attachments[0].Text, "The disk of <db-0> is full", "namespace=shop", "https://seamark.example.com")
			wantText(t, "title", m.Attachments[0].Title, "[FIRING:1] DiskFull")
		})},
		{kind: "slack", fields: "app_token: xoxb-1\napp_url: URL/api/chat.postMessage\nchannel: C1\nfields: [{title: t, value: '{{ .Status }}'}]", reply: reply{200, map[string]string{"Content-Type": "application/json"}, `{"ok":true}`},
			check: jsonCheck(func(t *testing.T, r *sentRequest, m *slack) {
				if r.header.Get("Authorization") != "Bearer xoxb-1" || m.Attachments[0].Fields[0].Value != "firing" {
					t.Errorf("got %v %+v", r.header, m)
				}
			})},
		{kind: "msteams", fields: "webhook_url: URL/hook", reply: reply{200, nil, "1"}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *teams) {
			if m.Kind != "MessageCard" || m.ThemeColor != "8C1A1A" {
				t.Errorf("got %+v, want a red message card", m)
			}
			wantText(t, "text", m.Text, "**The disk of <db-0> is full**")
		})},
		{kind: "msteamsv2", fields: "webhook_url: URL/hook", resolved: true, reply: reply{202, nil, ""}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *card) {
			body := m.Attachments[0].Content.Body
			if m.Type != "message" || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || body[0].Color != "Good" {
				t.Errorf("got %+v, want a green adaptive card", m)
			}
			wantText(t, "title", body[0].Text, "[RESOLVED] DiskFull")
		})},
		{kind: "discord", fields: "webhook_url: URL/api/webhooks/1/x\nusername: bot", reply: reply{204, nil, ""}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *discord) {
			if m.Username != "bot" || m.Embeds[0].Color != 0x992D22 || len(m.Mentions["parse"]) != 0 || m.Mentions == nil {
				t.Errorf("got %+v, want the name, red and nobody mentioned", m)
			}
			wantText(t, "description", m.Embeds[0].Description, "The disk of <db-0> is full")
		})},
		{kind: "telegram", fields: "api_url: URL\nbot_token: 12:ab\nchat_id: -100", reply: reply{200, nil, `{"ok":true,"result":{}}`}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *map[string]any) {
			wantPath(t, r, "POST", "/bot12:ab/sendMessage")
			if (*m)["chat_id"] != -100.0 || (*m)["parse_mode"] != "HTML" {
				t.Errorf("got %v", *m)
			}
			wantText(t, "text", (*m)["text"].(string), "<b>[FIRING:1] DiskFull", "The disk of &lt;db-0&gt; is full")
		})},
		{kind: "webhook", fields: "url: URL/hook", reply: reply{200, nil, ""}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *webhookMessage) {
			if r.header.Get("Idempotency-Key") == "" || m.Status != "firing" || m.GroupKey != `{}:{alertname="DiskFull"}` || m.Version != "4" {
				t.Errorf("got %v %+v", r.header, m)
			}
		})},
	}
}

func pagerDeliveries() []delivered {
	form := func(check func(t *testing.T, r *sentRequest, form url.Values)) func(*testing.T, []sentRequest) {
		return func(t *testing.T, got []sentRequest) {
			t.Helper()
			f, err := url.ParseQuery(string(got[0].body))
			if err != nil {
				t.Fatal(err)
			}
			check(t, &got[0], f)
		}
	}
	return []delivered{
		{kind: "pagerduty", fields: "url: URL/v2/enqueue\nrouting_key: key1\nseverity: '{{ .CommonLabels.severity }}'", reply: reply{202, nil, `{"status":"success"}`}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *pagerdutyEvent) {
			wantPath(t, r, "POST", "/v2/enqueue")
			if m.RoutingKey != "key1" || m.Action != "trigger" || m.DedupKey != groupHash() || m.Payload.Severity != "page" || m.Payload.Details["num_firing"] != 1.0 {
				t.Errorf("got %+v %+v", m, m.Payload)
			}
		})},
		{kind: "pagerduty", fields: "url: URL/v2/enqueue\nrouting_key: key1", resolved: true, reply: reply{202, nil, ""}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *pagerdutyEvent) {
			if m.Action != "resolve" || m.DedupKey != groupHash() {
				t.Errorf("got %+v, want a resolve under the same key", m)
			}
		})},
		{kind: "opsgenie", fields: "api_url: URL\napi_key: gk\nupdate_alerts: true\nresponders: [{name: 'a, b', type: teams}]\ntags: 'x, y'", reply: reply{202, nil, `{}`}, check: func(t *testing.T, got []sentRequest) {
			var m opsgenieAlert
			got[0].decode(t, &m)
			wantPath(t, &got[0], "POST", "/v2/alerts")
			wantPath(t, &got[1], "PUT", "/v2/alerts/"+groupHash()+"/message")
			wantPath(t, &got[2], "PUT", "/v2/alerts/"+groupHash()+"/description")
			if m.Alias != groupHash() || got[0].header.Get("Authorization") != "GenieKey gk" || got[1].query.Get("identifierType") != "alias" ||
				len(m.Responders) != 2 || m.Responders[1] != (opsgenieResponder{Name: "b", Type: "team"}) || !slices.Equal(m.Tags, []string{"x", "y"}) {
				t.Errorf("got %v %+v", got[0].header, m)
			}
		}},
		{kind: "opsgenie", fields: "api_url: URL\napi_key: gk", resolved: true, reply: reply{202, nil, `{}`}, check: func(t *testing.T, got []sentRequest) {
			wantPath(t, &got[0], "POST", "/v2/alerts/"+groupHash()+"/close")
		}},
		{kind: "victorops", fields: "api_url: URL/alert/\napi_key: vk\nrouting_key: team/../x", reply: reply{200, nil, `{"result":"success"}`}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *map[string]string) {
			wantPath(t, r, "POST", "/alert/vk/team%2F..%2Fx")
			if (*m)["message_type"] != "CRITICAL" || (*m)["entity_id"] != groupHash() {
				t.Errorf("got %v", *m)
			}
		})},
		{kind: "victorops", fields: "api_url: URL/alert/\napi_key: vk\nrouting_key: team", resolved: true, reply: reply{200, nil, ""}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *map[string]string) {
			if (*m)["message_type"] != "RECOVERY" {
				t.Errorf("got %v, want RECOVERY", *m)
			}
		})},
		{kind: "pushover", fields: "user_key: uk\ntoken: tk", reply: reply{200, nil, `{"status":1}`}, check: form(func(t *testing.T, r *sentRequest, f url.Values) {
			if len(r.query) != 0 || f.Get("token") != "tk" || f.Get("user") != "uk" || f.Get("priority") != "2" || f.Get("retry") != "60" || f.Get("expire") != "3600" {
				t.Errorf("got %v %v, want the keys in the body", r.query, f)
			}
			wantText(t, "message", f.Get("message"), "The disk of <db-0> is full")
		})},
		{kind: "sns", fields: "api_url: URL/\nphone_number: '+4912'\nattributes: {AWS.SNS.SMS.SMSType: Transactional}\nsigv4: {region: eu-central-1, access_key: AKIDEXAMPLE, secret_key: hush}",
			reply: reply{200, nil, "<PublishResponse/>"}, check: form(func(t *testing.T, r *sentRequest, f url.Values) {
				auth := r.header.Get("Authorization")
				wantText(t, "Authorization", auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/eu-central-1/sns/aws4_request")
				if got := sigv4Signature(t, r, "hush"); !strings.HasSuffix(auth, "Signature="+got) {
					t.Errorf("Authorization is %s, want the signature %s", auth, got)
				}
				if f.Get("Action") != "Publish" || f.Get("PhoneNumber") != "+4912" || f.Get("MessageAttributes.entry.1.Value.StringValue") != "Transactional" {
					t.Errorf("got %v", f)
				}
			})},
		{kind: "sns", fields: "api_url: URL/\ntopic_arn: 'arn:aws:sns:eu-central-1:1:ops.fifo'\nsigv4: {region: eu-central-1, access_key: AKIDEXAMPLE, secret_key: hush}",
			reply: reply{200, nil, ""}, check: form(func(t *testing.T, _ *sentRequest, f url.Values) {
				if f.Get("MessageGroupId") != groupHash() || f.Get("MessageDeduplicationId") == "" || f.Get("Subject") == "" {
					t.Errorf("got %v, want stable ids for a FIFO topic", f)
				}
			})},
	}
}

func robotDeliveries() []delivered {
	type dingtalk struct {
		MsgType  string
		Markdown struct{ Title, Text string }
		At       struct{ AtMobiles []string }
	}
	type feishu struct {
		Timestamp, Sign string
		MsgType         string `json:"msg_type"`
		Card            struct {
			Header   struct{ Template string }
			Elements []struct{ Content string }
		}
	}
	type wecom struct {
		MsgType  string
		Markdown struct{ Content string }
		Text     struct {
			Content string
			Mobiles []string `json:"mentioned_mobile_list"`
		}
	}
	return []delivered{
		{kind: "dingtalk", fields: "url: URL/robot/send?access_token=at\nsecret: SECx\nat_mobiles: ['138']", reply: reply{200, nil, `{"errcode":0,"errmsg":"ok"}`}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *dingtalk) {
			const stamp = "1772366400000" // testNow in milliseconds
			mac := hmac.New(sha256.New, []byte("SECx"))
			_, _ = mac.Write([]byte(stamp + "\nSECx"))
			want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
			if r.query.Get("access_token") != "at" || r.query.Get("timestamp") != stamp || r.query.Get("sign") != want {
				t.Errorf("got the query %v, want the signature %s", r.query, want)
			}
			if m.MsgType != "markdown" || !slices.Equal(m.At.AtMobiles, []string{"138"}) {
				t.Errorf("got %+v", m)
			}
			wantText(t, "text", m.Markdown.Text, "**The disk of <db-0> is full**", "@138")
		})},
		{kind: "feishu", fields: "url: URL/open-apis/bot/v2/hook/x\nsecret: fs", reply: reply{200, nil, `{"code":0,"msg":"success"}`}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *feishu) {
			mac := hmac.New(sha256.New, []byte("1772366400\nfs"))
			if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); m.Timestamp != "1772366400" || m.Sign != want {
				t.Errorf("got the time %s and the signature %s, want %s", m.Timestamp, m.Sign, want)
			}
			if m.MsgType != "interactive" || m.Card.Header.Template != "red" {
				t.Errorf("got %+v, want a red card", m)
			}
			wantText(t, "text", m.Card.Elements[0].Content, "The disk of <db-0> is full")
		})},
		{kind: "feishu", fields: "url: URL/open-apis/bot/hook/x", reply: reply{200, nil, `{"StatusCode":0,"StatusMessage":"success"}`}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *feishu) {
			if m.Sign != "" || m.Timestamp != "" {
				t.Errorf("got %+v, want no signature without a secret", m)
			}
		})},
		{kind: "wecom", fields: "url: URL/cgi-bin/webhook/send?key=k", reply: reply{200, nil, `{"errcode":0,"errmsg":"ok"}`}, check: jsonCheck(func(t *testing.T, r *sentRequest, m *wecom) {
			if r.query.Get("key") != "k" || m.MsgType != "markdown" {
				t.Errorf("got %v %+v", r.query, m)
			}
			wantText(t, "content", m.Markdown.Content, "[FIRING:1] DiskFull", "The disk of <db-0> is full")
		})},
		{kind: "wecom", fields: "url: URL/send\nmessage_type: text\nmentioned_mobiles: ['@all']", reply: reply{200, nil, `{"errcode":0}`}, check: jsonCheck(func(t *testing.T, _ *sentRequest, m *wecom) {
			if !slices.Equal(m.Text.Mobiles, []string{"@all"}) || m.Text.Content == "" {
				t.Errorf("got %+v", m)
			}
		})},
	}
}

func TestServicesGetTheirForm(t *testing.T) {
	for _, d := range deliveries() {
		t.Run(d.kind, func(t *testing.T) {
			f := newFake(t, d.reply)
			o, _ := testOptions(t)
			o.pushoverURL = f.URL + "/1/messages.json"
			n := build(t, o, receiverOf(t, d.kind, strings.ReplaceAll(d.fields, "URL", f.URL)))
			if retry, err := n.Notify(groupContext(t), testAlert(d.resolved)); err != nil || retry {
				t.Fatalf("Notify = %v, %v, want nil", retry, err)
			}
			got := f.requests()
			if len(got) == 0 {
				t.Fatal("the fake got nothing")
			}
			if got[0].header.Get("User-Agent") != "Seamark" || got[0].method != http.MethodPost {
				t.Errorf("got %s by %q", got[0].method, got[0].header.Get("User-Agent"))
			}
			d.check(t, got)
		})
	}
}

func TestEveryKindIsTested(t *testing.T) {
	seen := map[string]bool{"email": true} // TestMail
	for _, d := range deliveries() {
		seen[d.kind] = true
	}
	judged := map[string]bool{"email": true}
	for _, v := range verdicts() {
		judged[v.kind] = true
	}
	for _, kind := range Kinds() {
		if !seen[kind] || !judged[kind] {
			t.Errorf("%s: its form is tested: %v, its answers: %v", kind, seen[kind], judged[kind])
		}
	}
}
