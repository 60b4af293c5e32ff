package secrets_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// tenantWithPeople makes the tenant, its owner and an operator, and signs them in.
func (s *scene) tenantWithPeople() {
	s.t.Helper()
	folder := s.server.DataDir
	admin := s.server.Admin(s.t)
	var made struct{ ID string }
	admin(&made, "tenant", "create", s.marker)
	s.ids["tenant"], s.ids["tenants/id"] = made.ID, made.ID
	for login, args := range map[string][]string{"owner": {"--tenant", s.marker, "--role", "owner"}, "root": {"--operator"}} {
		password := s.secret("Credentials.password")
		harness.MustRun(s.t, password+"\n", append([]string{"admin", "--data-dir", folder, "user", "create", "--password-stdin", login}, args...)...)
		s.people[login] = s.signIn(login, password)
	}
	s.cookies()
}

// session is the answer to a sign-in.
type session struct {
	Token        string
	RefreshToken string `json:"refresh_token"`
}

func (s *scene) keepSession(made session) string {
	s.t.Helper()
	s.keep("NewSession.token", tail(made.Token))
	s.keep("NewSession.refresh_token", tail(made.RefreshToken))
	return made.Token
}

// tail is the part of a signed text that is the secret: what stands before it are ids.
func tail(text string) string {
	if i := strings.LastIndexByte(text, '.'); i >= 0 { // a JWT, whose signature may have any character of base 64
		return text[i+1:]
	}
	return text[strings.LastIndexByte(text, '_')+1:]
}

func (s *scene) signIn(login, password string) string {
	s.t.Helper()
	var made session
	s.call(&made, "", http.MethodPost, "/api/v1/session", map[string]any{"login": login, "password": password})
	s.keepSession(made)
	var next session
	s.keep("SessionRefresh.refresh_token", tail(made.RefreshToken))
	s.call(&next, "", http.MethodPost, "/api/v1/session/refresh", map[string]any{"refresh_token": made.RefreshToken})
	return s.keepSession(next)
}

// cookies signs somebody in as the console does.
func (s *scene) cookies() {
	s.t.Helper()
	password := s.secret("Credentials.password")
	harness.MustRun(s.t, password+"\n", "admin", "--data-dir", s.server.DataDir, "user", "create", "--password-stdin", "browser", "--tenant", s.marker, "--role", "viewer")
	answer := s.send("", http.MethodPost, "/api/v1/session", map[string]any{"login": "browser", "password": password, "cookie": true})
	s.answers["sign-in with cookies"] = s.read(answer)
	if len(answer.Cookies()) < 2 {
		s.t.Fatalf("a sign-in set the cookies %v", answer.Cookies())
	}
	for _, c := range answer.Cookies() {
		s.keep("a cookie of a session", tail(c.Value))
	}
}

// invited makes people by invitations, and sets their passwords in every way there is.
func (s *scene) invited() {
	s.t.Helper()
	owner := s.people["owner"]
	var made, again struct {
		ID, Token string
	}
	s.call(&made, owner, http.MethodPost, "/api/v1/invitations", map[string]any{"role": "viewer"})
	s.keep("CreatedInvitation.token", made.Token)
	s.call(&again, owner, http.MethodPost, "/api/v1/invitations/"+made.ID+"/resend", nil)
	s.keep("CreatedInvitation.token", again.Token)
	s.keep("InvitationToken.token", again.Token)
	s.call(nil, "", http.MethodPost, "/api/v1/invitations/offer", map[string]any{"token": again.Token})
	password, login := s.secret("InvitationAcceptance.password"), "guest"
	s.keep("InvitationAcceptance.token", again.Token)
	s.call(nil, "", http.MethodPost, "/api/v1/invitations/accept", map[string]any{"token": again.Token, "login": login, "password": password})
	s.refused("", http.MethodPost, "/api/v1/invitations/accept", map[string]any{"token": made.Token, "login": "late", "password": password})
	s.call(&made, owner, http.MethodPost, "/api/v1/invitations", map[string]any{"role": "viewer"}) // stays open
	s.keep("CreatedInvitation.token", made.Token)

	guest := s.signIn(login, password)
	next := s.secret("PasswordChange.new_password")
	s.keep("PasswordChange.old_password", password)
	var changed session
	s.call(&changed, guest, http.MethodPut, "/api/v1/session/password", map[string]any{"old_password": password, "new_password": next})
	s.keepSession(changed)
	s.refused("", http.MethodPost, "/api/v1/session", map[string]any{"login": login, "password": password})

	id := s.memberID(login)
	s.ids["members/id"] = id
	var reset struct{ Token, URL string }
	s.call(&reset, owner, http.MethodPost, "/api/v1/members/"+id+"/password-reset", nil)
	s.keep("PasswordReset.token", tail(reset.Token))
	s.keep("PasswordReset.url", tail(reset.URL))
	s.keep("PasswordSetting.token", tail(reset.Token))
	s.call(nil, "", http.MethodPost, "/api/v1/session/password/reset", map[string]any{"token": reset.Token, "password": s.secret("PasswordSetting.password")})
	s.refused("", http.MethodPost, "/api/v1/session/password/reset", map[string]any{"token": reset.Token, "password": "short"})
}

func (s *scene) memberID(login string) string {
	s.t.Helper()
	var list struct{ Items []struct{ ID, Login string } }
	s.call(&list, s.people["owner"], http.MethodGet, "/api/v1/members", nil)
	for _, m := range list.Items {
		if m.Login == login {
			return m.ID
		}
	}
	s.t.Fatalf("there is no member %s", login)
	return ""
}

// credential is a token or key as its creation and rotation show it.
type credential struct{ ID, Secret string }

// credentials makes tokens and keys, rotates and revokes some, and uses those that stay.
func (s *scene) credentials() {
	s.t.Helper()
	owner := s.people["owner"]
	var cluster struct{ ID string }
	s.call(&cluster, owner, http.MethodPost, "/api/v1/clusters", map[string]any{"name": s.marker})
	s.ids["clusters/id"] = cluster.ID
	secrets := map[string]string{}
	for _, kind := range []string{"ingest", "query", "admin"} {
		body := map[string]any{"kind": kind, "name": kind}
		if kind == "ingest" {
			body["cluster_id"] = cluster.ID
		}
		made := s.made("CreatedToken.secret", "/api/v1/tokens", body)
		s.ids["tokens/id"] = made.ID
		secrets[kind] = s.rotated("CreatedToken.secret", "/api/v1/tokens/"+made.ID, 60)
	}
	s.people["admin token"], s.people["query token"] = secrets["admin"], secrets["query"]
	gone := s.made("CreatedToken.secret", "/api/v1/tokens", map[string]any{"kind": "query"})
	s.call(nil, owner, http.MethodDelete, "/api/v1/tokens/"+gone.ID, nil)
	s.refused(gone.Secret, http.MethodGet, "/api/v1/clusters", nil)
	key := s.made("CreatedKey.secret", "/api/v1/keys", map[string]any{"name": "k", "role": "admin"})
	s.ids["keys/id"] = key.ID
	s.people["API key"] = s.rotated("CreatedKey.secret", "/api/v1/keys/"+key.ID, 0)
	s.refused(key.Secret, http.MethodGet, "/api/v1/clusters", nil)
	s.ingest = secrets["ingest"]
	s.push()
}

func (s *scene) made(of, path string, body map[string]any) credential {
	s.t.Helper()
	var c credential
	s.call(&c, s.people["owner"], http.MethodPost, path, body)
	s.keep(of, c.Secret)
	return c
}

func (s *scene) rotated(of, path string, overlapSeconds int) string {
	s.t.Helper()
	var c credential
	s.call(&c, s.people["owner"], http.MethodPost, path+"/rotate", map[string]any{"overlap_seconds": overlapSeconds})
	return s.keep(of, c.Secret)
}

// push stores a line with the marker, a sample whose rule fires, and an event.
func (s *scene) push() {
	s.t.Helper()
	token := s.ingest
	now := time.Now()
	s.lineTime = fmt.Sprint(now.UnixNano())
	s.call(nil, token, http.MethodPost, "/loki/api/v1/push", map[string]any{"streams": []any{
		map[string]any{"stream": map[string]string{"app": "probe"}, "values": [][]string{{s.lineTime, "a line with " + s.marker}}},
	}})
	nano := s.lineTime
	s.call(nil, token, http.MethodPost, "/v1/metrics", map[string]any{"resourceMetrics": []any{map[string]any{"scopeMetrics": []any{map[string]any{"metrics": []any{
		map[string]any{"name": "up", "gauge": map[string]any{"dataPoints": []any{map[string]any{"timeUnixNano": nano, "asDouble": 0}}}},
	}}}}}})
}

// forwarders makes one for every sort of target, each with a secret and in the way of a target that sends it back.
func (s *scene) forwarders() {
	s.t.Helper()
	value := func(text string) map[string]any { return map[string]any{"value": text} }
	user, err := nkeys.CreateUser()
	if err != nil {
		s.t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		s.t.Fatal(err)
	}
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT"}`)) + "." + s.word("ForwarderTarget.nats.credentials") + ".x"
	creds := fmt.Sprintf("-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
		jwt, s.keep("ForwarderTarget.nats.credentials", string(seed)))
	web, bus := s.hostile.web.URL, "nats://"+s.hostile.nats.Addr().String()
	for name, target := range map[string]map[string]any{
		s.marker: {"webhook": map[string]any{"url": web + "/hook", "headers": map[string]any{"X-Hook": value(s.word("ForwarderTarget.webhook.headers.*"))}}},
		"token":  {"nats": map[string]any{"url": bus, "subject": "a.b", "token": value(s.word("ForwarderTarget.nats.token"))}},
		"creds":  {"nats": map[string]any{"url": bus, "subject": "a.b", "credentials": value(creds)}},
		"kafka": {"kafka": map[string]any{"brokers": []string{"127.0.0.1:1"}, "topic": "t", "sasl": map[string]any{
			"mechanism": "plain", "user": "u", "password": value(s.secret("ForwarderTarget.kafka.sasl.password")),
		}}},
		"s3": {"s3": map[string]any{"endpoint": web, "region": "us-east-1", "bucket": "bucket", "access_key_id": "id", "secret_access_key": value(s.word("ForwarderTarget.s3.secret_access_key"))}},
	} {
		s.call(nil, s.people["owner"], http.MethodPut, "/api/v1/forwarders/"+name, map[string]any{"filter": `{app="probe"}`, "target": target, "batch": map[string]any{"max_age_seconds": 1}})
	}
	s.ids["forwarders/name"] = s.marker
	s.push() // they send what comes from now on
	s.refused(s.people["owner"], http.MethodPut, "/api/v1/forwarders/refused", map[string]any{"filter": "{", "target": map[string]any{
		"webhook": map[string]any{"url": web, "headers": map[string]any{"X-Hook": value(s.word("ForwarderTarget.webhook.headers.*"))}},
	}})
	for _, of := range []string{"ForwarderTarget.webhook.headers.*", "ForwarderTarget.nats.token", "ForwarderTarget.nats.credentials"} {
		s.eventually(func() error { return s.hostile.told(s.texts[of][0]) })
	}
	s.failures(s.marker, "token", "creds", "kafka", "s3")
}

// failures has each forwarder tried, and waits until its status tells a failure. Targets take their time to fail.
func (s *scene) failures(names ...string) {
	s.t.Helper()
	texts := make([][]byte, 2*len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		path := "/api/v1/forwarders/" + name
		wait.Go(func() { texts[2*i] = s.read(s.send(s.people["owner"], http.MethodPost, path+"/test", nil)) })
		wait.Go(func() {
			s.eventually(func() error {
				texts[2*i+1] = s.read(s.send(s.people["owner"], http.MethodGet, path+"/status", nil))
				if !strings.Contains(string(texts[2*i+1]), `"last_error":{`) {
					return fmt.Errorf("%s has not failed yet: %s", name, texts[2*i+1])
				}
				return nil
			})
		})
	}
	wait.Wait()
	for i, text := range texts {
		s.answers[fmt.Sprintf("trial or status of the forwarder %s", names[i/2])+fmt.Sprint(i%2)] = text
	}
}

// alertmanager sets receivers with secrets of many sorts, which fail when their alert fires.
func (s *scene) alertmanager() {
	s.t.Helper()
	const of = "AlertmanagerConfig.alertmanager_config"
	config := func() string {
		return fmt.Sprintf(`
template_files: {}
alertmanager_config: |
  route: {receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
  receivers:
    - name: all
      webhook_configs:
        - url: %[1]s/%[2]s
          http_config: {authorization: {type: Bearer, credentials: %[3]s}, http_headers: {X-Hook-Key: {secrets: [%[4]s]}}}
        - url: %[1]s/basic
          http_config: {basic_auth: {username: hook, password: %[5]s}}
        - url: http://127.0.0.1:1/%[6]s
%[7]s`, s.hostile.web.URL, s.word(of), s.word(of), s.word(of), s.word(of), s.word(of), s.everyReceiver(of))
	}
	token := s.people["admin token"]
	s.call(nil, token, http.MethodPost, "/prometheus/config/v1/rules/nodes", "name: availability\ninterval: 10s\nrules: [{alert: "+s.marker+", expr: up == 0}]\n")
	s.ids["rules/namespace"], s.ids["nodes/group"] = "nodes", "availability"
	s.call(nil, token, http.MethodPost, "/api/v1/alerts", config())
	first := s.texts[of]
	s.refused(token, http.MethodPost, "/api/v1/alerts", strings.Replace(config(), "http_config: {basic_auth", "http_config: {proxy_url: 'http://x', basic_auth", 1))
	s.refused(token, http.MethodPost, "/api/v1/alerts", strings.Replace(config(), "group_wait: 0s", "group_wait: soon", 1))
	s.eventually(func() error { return s.hostile.told(first[0], first[1], first[2]) })
	s.triedReceivers(token)
	var silence struct{ SilenceID string }
	s.call(&silence, token, http.MethodPost, "/alertmanager/api/v2/silences", map[string]any{
		"matchers": []any{map[string]any{"name": "alertname", "value": "x", "isRegex": false, "isEqual": true}}, "startsAt": time.Now().UTC(), "endsAt": time.Now().Add(time.Hour).UTC(), "createdBy": "x", "comment": "x",
	})
	s.ids["silence/id"] = silence.SilenceID
}

// everyReceiver is an integration of every kind, each with its secrets and at a service that repeats what it was sent.
func (s *scene) everyReceiver(of string) string {
	word := func() string { return s.word(of) }
	lines := []string{
		"slack_configs: [{api_url: 'URL/" + word() + "'}, {app_token: " + word() + ", app_url: URL}]",
		"email_configs: [{to: a@example.com, from: b@example.com, smarthost: '127.0.0.1:1', auth_username: u, auth_password: " + word() + ", auth_secret: " + word() + "}]",
		"pagerduty_configs: [{routing_key: " + word() + ", url: URL}]",
		"opsgenie_configs: [{api_key: " + word() + ", api_url: 'URL/'}]",
		"victorops_configs: [{api_key: " + word() + ", routing_key: r, api_url: 'URL/'}]",
		"telegram_configs: [{bot_token: " + word() + ", chat_id: 1, api_url: URL}]",
		"discord_configs: [{webhook_url: 'URL/" + word() + "'}]",
		"msteams_configs: [{webhook_url: 'URL/" + word() + "'}]",
		"msteamsv2_configs: [{webhook_url: 'URL/" + word() + "'}]",
		"sns_configs: [{phone_number: '+1', api_url: URL, sigv4: {region: r1, access_key: a, secret_key: " + word() + "}}]",
		"dingtalk_configs: [{url: 'URL/?access_token=" + word() + "', secret: " + word() + "}]",
		"feishu_configs: [{url: 'URL/" + word() + "', secret: " + word() + "}]",
		"wecom_configs: [{url: 'URL/?key=" + word() + "'}]",
	}
	return strings.ReplaceAll("      "+strings.Join(lines, "\n      ")+"\n", "URL", s.hostile.web.URL+repeating)
}

// triedReceivers tries what is stored, and a configuration of its own, and keeps what was answered.
func (s *scene) triedReceivers(token string) {
	s.t.Helper()
	const path = "/api/v1/alerting/receivers/all/test"
	s.ids["receivers/name"] = "all"
	s.answers["trial of the stored receivers"] = s.read(s.send(token, http.MethodPost, path, nil))
	config := fmt.Sprintf("route: {receiver: all}\nreceivers: [{name: all, opsgenie_configs: [{api_key: %s, api_url: '%s/'}]}]\n", s.word("ReceiverTest.alertmanager_config"), s.hostile.web.URL+repeating)
	s.answers["trial of other receivers"] = s.read(s.send(token, http.MethodPost, path, map[string]any{"alertmanager_config": config}))
	s.refused(token, http.MethodPost, path, map[string]any{"alertmanager_config": strings.Replace(config, "api_url", "api_key_file", 1)})
	s.eventually(func() error {
		log := s.read(s.send(token, http.MethodGet, "/api/v1/alerting/deliveries", nil))
		s.answers["log of deliveries"] = log
		if !strings.Contains(string(log), `"test":true`) {
			return fmt.Errorf("no trial is in the delivery log yet: %s", log)
		}
		return nil
	})
}

// misplaced puts secrets where people put them by mistake.
func (s *scene) misplaced() {
	s.t.Helper()
	owner, key := s.people["owner"], s.people["API key"]
	s.refused("", http.MethodPost, "/api/v1/session", map[string]any{"login": s.texts["Credentials.password"][0], "password": "x"})
	s.refused(owner, http.MethodDelete, "/api/v1/keys/"+key, nil)
	s.refused(owner, http.MethodDelete, "/api/v1/tokens/"+s.people["query token"], nil)
	s.refused(key+"x", http.MethodGet, "/api/v1/clusters", nil)
	s.refused(owner[:len(owner)-1], http.MethodGet, "/api/v1/clusters", nil)
	s.refused(owner, http.MethodPost, "/api/v1/tokens", map[string]any{"kind": "query", "name": strings.Repeat("x", 300), "secret": key})
	s.refused("", http.MethodPost, "/api/v1/session", `{"login":"owner","password":"`+s.word("Credentials.password"))
	s.answers["a secret in the address"] = s.read(s.send(owner, http.MethodGet, "/api/v1/session?access_token="+url.QueryEscape(key)+"&token="+url.QueryEscape(key), nil))
}

// providerSignIn begins to sign in at the provider and comes back with a code that it did not give.
func (s *scene) providerSignIn() {
	s.t.Helper()
	s.ids["oidc/provider"] = "corp"
	begun := s.send("", http.MethodGet, "/api/v1/session/oidc/corp/start", nil)
	s.answers["the way to the provider"] = s.read(begun)
	away, err := url.Parse(begun.Header.Get("Location"))
	if err != nil || away.Query().Get("state") == "" {
		s.t.Fatalf("the way to the provider is %q, %v", begun.Header.Get("Location"), err)
	}
	back, err := http.NewRequest(http.MethodGet, s.server.URL+"/api/v1/session/oidc/corp/callback?"+url.Values{
		"code": {s.word("a code of the provider")}, "state": {away.Query().Get("state")}, "iss": {away.Scheme + "://" + away.Host},
	}.Encode(), http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range begun.Cookies() {
		back.AddCookie(c)
	}
	answer, err := s.client.Do(back)
	if err != nil {
		s.t.Fatal(err)
	}
	s.answers["the answer to a wrong code"] = append(s.read(answer), answer.Header.Get("Location")...)
}
