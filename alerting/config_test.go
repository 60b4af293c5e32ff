package alerting

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// configService is a Service that can parse configurations and nothing else.
func configService(t *testing.T) *Service {
	t.Helper()
	return &Service{guard: guard.New(guard.Options{Private: []netip.Prefix{netip.MustParsePrefix("192.168.77.0/24")}, Ports: []uint16{443, 587}})}
}

const goodConfig = `
global:
  resolve_timeout: 5m
  http_config:
    follow_redirects: false
route:
  receiver: hooks
  group_by: [alertname, namespace]
  group_wait: 30s
  routes:
    - receiver: none
      matchers: ['severity="info"']
      mute_time_intervals: [nights]
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity="warning"']
    equal: [namespace]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "00:00", end_time: "06:00"}]
templates: [short]
receivers:
  - name: none
  - name: hooks
    labels: {team: infra}
    webhook_configs:
      - url: https://hooks.example.com/a?token=abc
        send_resolved: true
        max_alerts: 10
        timeout: 5s
        http_config:
          basic_auth: {username: u, password: pass-one}
          tls_config: {server_name: hooks.example.com, insecure_skip_verify: false}
          http_headers:
            X-Key: {secrets: [header-one]}
      - url: http://192.168.77.9:9000/b
        payload: {text: '{{ template "short.text" . }}'}
`

func goodSource() configSource {
	return configSource{Config: goodConfig, Templates: map[string]string{"short": `{{ define "short.text" }}{{ .Status }}{{ end }}`}}
}

func TestConfigAccepted(t *testing.T) {
	s := configService(t)
	doc, err := s.parseConfig(goodSource())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(doc.parsed.Receivers[1].WebhookConfigs); n != 2 {
		t.Errorf("%d webhooks, want 2", n)
	}
}

func TestConfigRefused(t *testing.T) {
	hook := func(fields string) string {
		return "route: {receiver: r}\nreceivers:\n  - name: r\n    webhook_configs:\n      - " + strings.ReplaceAll(fields, "\n", "\n        ") + "\n"
	}
	client := func(fields string) string { return hook("url: https://h.example.com/\nhttp_config: {" + fields + "}") }
	receiver := func(kind string) string {
		return "route: {receiver: r}\nreceivers:\n  - name: r\n    " + kind + ": [{}]\n"
	}
	kind := func(name, fields string) string {
		return "route: {receiver: r}\nreceivers:\n  - name: r\n    " + name + ": [{" + fields + "}]\n"
	}
	const base = "route: {receiver: r}\nreceivers: [{name: r}]\n"
	tests := []struct{ name, config, want string }{
		{"empty", "", "empty"},
		{"not yaml", "route: [", "line 1: did not find"},
		{"not a mapping", "- a", "the document must be a mapping"},
		{"no route", "receivers: [{name: r}]", "no route"},
		{"unknown receiver", "route: {receiver: x}\nreceivers: [{name: r}]", `undefined receiver "x"`},
		{"unknown route field", "route: {receiver: r, colour: red}\nreceivers: [{name: r}]", "colour"},
		{"url file", hook("url_file: /etc/passwd"), "line 5: receivers[0].webhook_configs[0].url_file is not accepted (files of the server are not read"},
		{"password file", client("basic_auth: {username: u, password_file: /etc/shadow}"), "http_config.basic_auth.password_file is not accepted"},
		{"username file", client("basic_auth: {username_file: /x}"), "username_file is not accepted"},
		{"credentials file", client("authorization: {credentials_file: /x}"), "credentials_file is not accepted"},
		{"credentials ref", client("authorization: {credentials_ref: x}"), "credentials_ref is not accepted"},
		{"bearer file", client("bearer_token_file: /x"), "bearer_token_file is not accepted"},
		{"ca file", client("tls_config: {ca_file: /x}"), "tls_config.ca_file is not accepted"},
		{"cert file", client("tls_config: {cert_file: /x, key_file: /y}"), "tls_config.cert_file is not accepted"},
		{"header files", client("http_headers: {X: {files: [/x]}}"), "http_headers.X.files is not accepted"},
		{"proxy", client("proxy_url: http://10.0.0.1:3128"), "proxy_url is not accepted (receivers are reached without a proxy)"},
		{"proxy from environment", client("proxy_from_environment: true"), "proxy_from_environment is not accepted"},
		{"oauth2", client("oauth2: {client_id: x, token_url: http://127.0.0.1/}"), "oauth2 is not accepted (use authorization or basic_auth)"},
		{"redirects", client("follow_redirects: true"), "follow_redirects may only be false"},
		{"global proxy", "global: {http_config: {proxy_url: http://x}}\n" + base, "global.http_config.proxy_url is not accepted"},
		{"global password file", "global: {smtp_auth_password_file: /x}\n" + base, "global.smtp_auth_password_file is not accepted (files"},
		{"global of another kind", "global: {jira_api_url: 'https://j.example.com'}\n" + base, "global.jira_api_url is not accepted"},
		{"global slack file", "global: {slack_api_url_file: /x}\n" + base, "global.slack_api_url_file is not accepted (files"},
		{"unknown kind", receiver("jira_configs"), "receivers[0].jira_configs is not accepted (this kind of receiver is not offered); receivers[0] takes: dingtalk_configs, discord_configs, email_configs"},
		{"slack file", kind("slack_configs", "api_url_file: /x"), "receivers[0].slack_configs[0].api_url_file is not accepted (files"},
		{"slack update", kind("slack_configs", "api_url: 'https://slack.com/api/chat.postMessage', update_message: true"), "update_message is not accepted (messages are not changed"},
		{"slack address", kind("slack_configs", "api_url: 'http://10.0.0.1/'"), "receivers[0].slack_configs[0].api_url: targets must not be there: 10.0.0.1"},
		{"slack app address", kind("slack_configs", "app_token: x, app_url: 'http://[::1]/'"), "receivers[0].slack_configs[0].api_url: targets must not be there: ::1"},
		{"pagerduty v1", kind("pagerduty_configs", "service_key: x"), "service_key is not accepted (use routing_key"},
		{"pagerduty address", kind("pagerduty_configs", "routing_key: x, url: 'http://169.254.169.254/'"), "pagerduty_configs[0].url: targets must not be there"},
		{"opsgenie key file", kind("opsgenie_configs", "api_key_file: /x"), "api_key_file is not accepted"},
		{"telegram token file", kind("telegram_configs", "bot_token_file: /x, chat_id: 1"), "bot_token_file is not accepted"},
		{"mail server", kind("email_configs", "to: a@example.com, from: b@example.com, smarthost: '127.0.0.1:587'"), "email_configs[0].smarthost: targets must not be there: 127.0.0.1"},
		{"mail server's port", kind("email_configs", "to: a@example.com, from: b@example.com, smarthost: '8.8.8.8:25'"), "port 25 is not among"},
		{"mail address", kind("email_configs", "to: nobody, from: b@example.com, smarthost: 'mx.example.com:587'"), `to: "nobody" is not a list of mail addresses`},
		{"mail header", kind("email_configs", `to: a@example.com, from: b@example.com, smarthost: 'mx.example.com:587', headers: {"X: y\r\nBcc": z}`), "is not the name of a header"},
		{"mail password file", kind("email_configs", "to: a@example.com, auth_password_file: /x"), "auth_password_file is not accepted"},
		{"mail certificate file", kind("email_configs", "to: a@example.com, tls_config: {ca_file: /x}"), "tls_config.ca_file is not accepted"},
		{"sns without keys", kind("sns_configs", "phone_number: '+1', sigv4: {region: eu-central-1}"), "sigv4.access_key and sigv4.secret_key must be set"},
		{"sns role", kind("sns_configs", "phone_number: '+1', sigv4: {region: eu-central-1, role_arn: x}"), "sigv4.role_arn is not accepted"},
		{"sns profile", kind("sns_configs", "phone_number: '+1', sigv4: {region: eu-central-1, profile: x}"), "sigv4.profile is not accepted"},
		{"sns region", kind("sns_configs", "phone_number: '+1', sigv4: {region: 'x.evil.example/', access_key: a, secret_key: b}"), "sigv4.region must be set"},
		{"sns template", kind("sns_configs", "phone_number: '+1', api_url: 'http://{{ .x }}/', sigv4: {region: eu-central-1, access_key: a, secret_key: b}"), "api_url must not be a template"},
		{"robot without address", kind("dingtalk_configs", "secret: x"), "receivers[0].dingtalk_configs: url must be set"},
		{"robot's address", kind("feishu_configs", "url: 'http://127.0.0.1/'"), "feishu_configs[0].url: targets must not be there"},
		{"robot's file", kind("wecom_configs", "url_file: /x"), "wecom_configs[0].url_file is not accepted (files"},
		{"robot's type", kind("wecom_configs", "url: 'https://w.example.com/', message_type: news"), "neither markdown nor text"},
		{"empty robot", "route: {receiver: r}\nreceivers: [{name: r, dingtalk_configs: [null]}]\n", "has an empty entry"},
		{"route labels", "route: {receiver: r, routes: [{receiver: r, labels: {x: '{{ range 9 }}{{ end }}'}}]}\nreceivers: [{name: r}]\n", "route.routes[0].labels must not be a template"},
		{"tracing", "tracing: {endpoint: x}\n" + base, "tracing is not accepted"},
		{"event recorder", "event_recorder: {file_outputs: [{path: /x}]}\n" + base, "event_recorder is not accepted"},
		{"template path", "templates: [/etc/*.tmpl]\n" + base, "/etc/*.tmpl"},
		{"alias", "route: &a {receiver: r}\nreceivers: [{name: r, labels: *a}]\n", "YAML alias"},
		{"alias of a mapping", "global: {http_config: &h {}}\nroute: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'https://e.com', http_config: *h}]}]", "must be a mapping"},
		{"merge key", "route: &a {receiver: r}\nreceivers: [{name: r, <<: *a}]\n", "<< is not accepted"},
		{"duplicate key", "route: {receiver: r}\nroute: {receiver: r}\nreceivers: [{name: r}]\n", "already"},
		{"loopback", hook("url: http://127.0.0.1:8123/"), "receivers[0].webhook_configs[0].url: targets must not be there: 127.0.0.1 is not a public address"},
		{"metadata", hook("url: http://169.254.169.254/latest"), "169.254.169.254 is not a public address"},
		{"mapped loopback", hook("url: 'http://[::ffff:127.0.0.1]/'"), "127.0.0.1 is not a public address"},
		{"public port", hook("url: http://8.8.8.8:22/"), "port 22 is not among"},
		{"scheme", hook("url: gopher://h.example.com/"), "unsupported scheme"},
		{"no host", hook("url: 'https:///x'"), "missing host"},
		{"no url", hook("send_resolved: true"), "one of url or url_file must be configured"},
	}
	s := configService(t)
	for _, tt := range tests {
		_, err := s.parseConfig(configSource{Config: tt.config})
		if err == nil || seamark.KindOf(err) != seamark.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an Invalid error with %q", tt.name, err, tt.want)
		}
	}
}

func TestTemplatesRefused(t *testing.T) {
	many := map[string]string{}
	for i := range maxTemplates + 1 {
		many[strings.Repeat("a", i+1)] = ""
	}
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"too many", many, "the limit is 10"},
		{"path", map[string]string{"../x": ""}, "no path"},
		{"absolute", map[string]string{"/etc/passwd": ""}, "no path"},
		{"too large", map[string]string{"x": strings.Repeat("a", maxTemplateBytes+1)}, "the limit is 32768"},
		{"does not parse", map[string]string{"short": "{{ if }}"}, `template "short"`},
		{"not listed", map[string]string{"other": ""}, "is not a key of template_files"},
	}
	s := configService(t)
	for _, tt := range tests {
		_, err := s.parseConfig(configSource{Config: goodConfig, Templates: tt.files})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestSecretsAreMaskedAndComeBack(t *testing.T) {
	masked, err := maskSecrets(goodConfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"token=abc", "pass-one", "header-one", "192.168.77.9"} {
		if strings.Contains(masked, secret) {
			t.Errorf("masked configuration holds %q", secret)
		}
	}
	restored, err := restoreSecrets(masked, goodConfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"token=abc", "pass-one", "header-one", "192.168.77.9"} {
		if !strings.Contains(restored, secret) {
			t.Errorf("restored configuration lacks %q", secret)
		}
	}
	if _, err := configService(t).parseConfig(configSource{Config: restored, Templates: goodSource().Templates}); err != nil {
		t.Errorf("restored configuration: %v", err)
	}
}

func TestMaskDoesNotCarrySecretsElsewhere(t *testing.T) {
	masked, err := maskSecrets(goodConfig)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(masked, "url: "+secretMask, "url: https://evil.example.net/", 1)
	renamed := strings.ReplaceAll(masked, "name: hooks", "name: other")
	global := "global: {http_config: {bearer_token: " + secretMask + "}}\nroute: {receiver: r}\nreceivers: [{name: r}]\n"
	for name, text := range map[string]string{"moved": moved, "renamed": renamed, "global": global} {
		if moved == masked || renamed == masked {
			t.Fatal("the masked configuration has another form than this test expects")
		}
		if out, err := restoreSecrets(text, goodConfig); err == nil || !strings.Contains(err.Error(), "send the value itself") {
			t.Errorf("%s: restored to %q, %v; want a refusal", name, out, err)
		}
	}
	same := strings.Replace(masked, "url: "+secretMask, "url: https://hooks.example.com/a?token=abc", 1)
	if _, err := restoreSecrets(same, goodConfig); err != nil {
		t.Errorf("the stored URL written out: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(goodConfig)
	f.Add(defaultConfig)
	f.Add("route: &a {receiver: r}\nreceivers: [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := configService(t).parseConfig(configSource{Config: text})
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("%v is of kind %v, want Invalid", err, seamark.KindOf(err))
			}
			return
		}
		for _, r := range doc.parsed.Receivers {
			for _, h := range r.WebhookConfigs {
				if h.URLFile != "" || h.HTTPConfig.ProxyURL.URL != nil || h.HTTPConfig.TLSConfig.CAFile != "" || h.HTTPConfig.OAuth2 != nil {
					t.Fatalf("a forbidden field got through: %+v", h)
				}
			}
		}
		if _, err := maskSecrets(text); err != nil {
			t.Fatalf("mask: %v", err)
		}
	})
}
