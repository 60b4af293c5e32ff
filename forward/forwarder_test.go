package forward_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const secret = "Bearer c0rrect-horse-battery"

func kindOf(t *testing.T, err error, kind seamark.Kind, text string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, seamark.KindOf(err), "%v", err)
	require.Contains(t, err.Error(), text)
}

// TestDefinitions are refused with what is wrong, and where.
func TestDefinitions(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	hook := `"target":{"webhook":{"url":"https://logs.example.com/in"}}`
	for _, c := range []struct{ name, body, wants string }{
		{"Upper", `{"filter":"api a",` + hook + `}`, "name: "},
		{"a", `{"name":"b","filter":"api a",` + hook + `}`, `the body has "b" and the path "a"`},
		{"a", `{"filter":"api a",` + hook + `,"more":1}`, `unknown field "more"`},
		{"a", `{"filter":"api a",` + hook + `} {}`, "text after"},
		{"a", `{"filter":7}`, "filter: it has the wrong type, a JSON number"},
		{"a", `{`, "is not the JSON document"},
		{"a", `{"filter":"api a","signal":"metrics",` + hook + `}`, "signal: \"metrics\" cannot be forwarded"},
		{"a", `{` + hook + `}`, "filter: it has 0 bytes"},
		{"a", `{"filter":"api",` + hook + `}`, "has no text"},
		{"a", `{"filter":"api a","target":{}}`, "target: it has 0"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"https://x"},"nats":{}}}`, "target: it has 2"},
		{"a", `{"filter":"api a",` + hook + `,"batch":{"max_bytes":99999999}}`, "batch.max_bytes: 99999999 is not between 1024 and the limit of 8388608"},
		{"a", `{"filter":"api a",` + hook + `,"batch":{"max_age_seconds":-1}}`, "batch.max_age_seconds"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"ftp://x"}}}`, "scheme is not http or https"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"https://user:hidden@x/"}}}`, "belong into a secret"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"http://169.254.169.254/latest"}}}`, "not a public address"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"https://x","headers":{"Host":{"value":"y"}}}}}`, "no header that a forwarder may set"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"https://x","headers":{"X-A":{"value":"y\nz"}}}}}`, "characters that no header may have"},
		{"a", `{"filter":"api a","target":{"webhook":{"url":"https://x","headers":{"X-A":{"set":true}}}}}`, "none is stored"},
		{"a", `{"filter":"api a","target":{"nats":{"url":"nats://x","subject":"logs.>"}}}`, "no subject to publish to"},
		{"a", `{"filter":"api a","target":{"nats":{"url":"nats://x","subject":"$JS.API.x"}}}`, "no subject to publish to"},
		{"a", `{"filter":"api a","target":{"nats":{"url":"nats://10.0.0.1","subject":"logs"}}}`, "not a public address"},
		{"a", `{"filter":"api a","target":{"kafka":{"brokers":["x"],"topic":"t"}}}`, "not host:port"},
		{"a", `{"filter":"api a","target":{"kafka":{"brokers":["10.0.0.1:9092"],"topic":"t"}}}`, "--forwarders.allowed-targets"},
		{"a", `{"filter":"api a","target":{"kafka":{"brokers":["x:9092"],"topic":"t","sasl":{"mechanism":"gssapi"}}}}`, "target.kafka.sasl"},
		{"a", `{"filter":"api a","target":{"s3":{"region":"r","bucket":"logs","prefix":"{tenant}/","access_key_id":"a","secret_access_key":{"value":"b"}}}}`, "target.s3.prefix"},
		{"a", `{"filter":"api a","target":{"s3":{"region":"r","bucket":"logs","format":"csv","access_key_id":"a","secret_access_key":{"value":"b"}}}}`, "target.s3.format"},
		{"a", `{"filter":"api a","target":{"s3":{"region":"r","bucket":"logs"}}}`, "access_key_id and secret_access_key are needed"},
	} {
		_, err := s.Save(t.Context(), tenant, c.name, []byte(c.body), nil)
		kindOf(t, err, seamark.Invalid, c.wants)
		require.NotContains(t, err.Error(), "hidden")
	}
	_, err := s.Save(t.Context(), "", "a", []byte(`{}`), nil)
	require.Error(t, err)
	list, err := s.List(t.Context(), tenant)
	require.NoError(t, err)
	require.Empty(t, list)
}

// TestRevisions lets nobody overwrite what he has not read, and nobody see another tenant's forwarders.
func TestRevisions(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, func(o *forward.Options) { o.Limits.MaxPerTenant = 2 })
	body := []byte(`{"filter":"api a","target":{"webhook":{"url":"https://logs.example.com/in"}}}`)
	at := func(n uint64) *uint64 { return &n }
	_, err := s.Save(t.Context(), tenant, "a", body, at(1))
	kindOf(t, err, seamark.Conflict, "was changed")
	d, err := s.Save(t.Context(), tenant, "a", body, at(0))
	require.NoError(t, err)
	require.Equal(t, uint64(1), d.Revision)
	require.Equal(t, "logs", d.Signal)
	require.Equal(t, forward.Batching{MaxRows: 5000, MaxBytes: 1 << 20, MaxAgeSeconds: 2}, d.Batch)
	_, err = s.Save(t.Context(), tenant, "a", body, at(0))
	kindOf(t, err, seamark.Conflict, "was changed")
	d, err = s.Save(t.Context(), tenant, "a", body, at(1))
	require.NoError(t, err)
	text, err := json.Marshal(d)
	require.NoError(t, err)
	d, err = s.Save(t.Context(), tenant, "a", text, nil) // what was read can be written
	require.NoError(t, err)
	require.Equal(t, uint64(3), d.Revision)
	_, err = s.Save(t.Context(), tenant, "a", text, nil)
	kindOf(t, err, seamark.Conflict, "was changed")

	_, err = s.Save(t.Context(), tenant, "a", []byte(strings.Replace(string(body), "{", `{"signal":"events",`, 1)), nil)
	kindOf(t, err, seamark.Invalid, "signal: it is logs and stays so")

	_, err = s.Save(t.Context(), tenant, "b", body, nil)
	require.NoError(t, err)
	_, err = s.Save(t.Context(), tenant, "c", body, nil)
	kindOf(t, err, seamark.Unprocessable, "--forwarders.max-per-tenant")
	list, err := s.List(t.Context(), tenant)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "a", list[0].Name)

	list, err = s.List(t.Context(), other)
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = s.Find(t.Context(), other, "a")
	kindOf(t, err, seamark.NotFound, "no forwarder")
	_, err = s.Status(t.Context(), other, "a")
	kindOf(t, err, seamark.NotFound, "no forwarder")
	kindOf(t, s.Delete(t.Context(), other, "a", nil), seamark.NotFound, "no forwarder")
	for _, wild := range []string{"*", ">", "a.b", ""} {
		_, err = s.Find(t.Context(), tenant, wild)
		kindOf(t, err, seamark.NotFound, "no forwarder")
	}
	_, err = s.List(t.Context(), "*")
	require.Error(t, err)

	kindOf(t, s.Delete(t.Context(), tenant, "b", new(uint64(7))), seamark.Conflict, "was changed")
	require.NoError(t, s.Delete(t.Context(), tenant, "b", new(uint64(1))))
	_, err = s.Find(t.Context(), tenant, "b")
	kindOf(t, err, seamark.NotFound, "no forwarder")
}

// TestSecrets go to the target and stand nowhere else in plain, and stay with the destination that they were given for.
func TestSecrets(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	reflect := newHook(t, nil)
	header := func(value string) string { return fmt.Sprintf(`,"headers":{"Authorization":%s}`, value) }
	d := save(t, s, "hook", "api a", reflect.target(header(fmt.Sprintf(`{"value":%q}`, secret))), oneRow)
	first := d.Target.Webhook.Headers["Authorization"]
	require.True(t, first.Set)
	require.Len(t, first.Fingerprint, 8)
	d = save(t, s, "hook", "api a", reflect.target(header(`{"set":true}`)), oneRow)
	require.Equal(t, first.Fingerprint, d.Target.Webhook.Headers["Authorization"].Fingerprint)
	w.push(t, tenant, "api", "a1")
	reflect.lines(t, 1)
	require.Equal(t, secret, reflect.deliveries()[0].header.Get("Authorization"))

	elsewhere := newHook(t, nil)
	_, err := s.Save(t.Context(), tenant, "hook", []byte(`{"filter":"api a","target":`+elsewhere.target(header(`{"set":true}`))+`}`), nil)
	kindOf(t, err, seamark.Invalid, "another destination")
	d = save(t, s, "hook", "api a", elsewhere.target(header(`{"value":"another secret value"}`)), oneRow)
	require.NotEqual(t, first.Fingerprint, d.Target.Webhook.Headers["Authorization"].Fingerprint)
	d = save(t, s, "hook", "api a", reflect.target(header(fmt.Sprintf(`{"value":%q}`, secret))), oneRow)

	texts := map[string]string{"definition": fmt.Sprintf("%+v %#v", d, d), "log": w.log.String()}
	for _, read := range []func() (any, error){
		func() (any, error) { return s.Find(t.Context(), tenant, "hook") },
		func() (any, error) { return s.List(t.Context(), tenant) },
		func() (any, error) { return s.Status(t.Context(), tenant, "hook") },
	} {
		found, err := read()
		require.NoError(t, err)
		text, err := json.Marshal(found)
		require.NoError(t, err)
		texts[fmt.Sprintf("%T", found)] = string(text)
	}
	for name := range w.js.KeyValueStoreNames(t.Context()).Name() {
		name = strings.TrimPrefix(name, "KV_")
		kv, err := w.js.KeyValue(t.Context(), name)
		require.NoError(t, err)
		keys, err := kv.ListKeys(t.Context())
		require.NoError(t, err)
		for key := range keys.Keys() {
			entry, err := kv.Get(t.Context(), key)
			if err == nil {
				texts[name+" "+key] = string(entry.Value())
			} else {
				require.ErrorIs(t, err, jetstream.ErrKeyNotFound)
			}
		}
	}
	require.Greater(t, len(texts), 6)
	for where, text := range texts {
		require.NotContains(t, text, "c0rrect-horse", where)
		require.NotContains(t, text, "another secret", where)
	}
}

// TestSecretsSurviveARotation sends a secret that was sealed anew with another key.
func TestSecretsSurviveARotation(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	reflect := newHook(t, nil)
	save(t, s, "hook", "api a", reflect.target(fmt.Sprintf(`,"headers":{"Authorization":{"value":%q}}`, secret)))
	_, err := w.keys.Rotate(t.Context())
	require.NoError(t, err)
	report, err := w.keys.Reseal(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, report.Resealed)
	require.Empty(t, report.Broken)
	_, err = s.Test(t.Context(), tenant, "hook")
	require.NoError(t, err)
	require.Equal(t, secret, reflect.deliveries()[0].header.Get("Authorization"))
}

// TestErrorsHoldNoSecret takes it out of what a target answers.
func TestErrorsHoldNoSecret(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	echo := newHook(t, nil)
	echo.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		http.Error(out, "I do not know "+r.Header.Get("Authorization"), http.StatusUnauthorized)
	})
	save(t, s, "hook", "api a", echo.target(fmt.Sprintf(`,"headers":{"Authorization":{"value":%q}}`, secret)), oneRow)
	w.push(t, tenant, "api", "a1")
	failing(t, s, "hook", "I do not know")
	got, err := s.Status(t.Context(), tenant, "hook")
	require.NoError(t, err)
	require.NotContains(t, got.LastError.Message, "c0rrect")
	require.Contains(t, got.LastError.Message, "[secret]")
	_, err = s.Test(t.Context(), tenant, "hook")
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "c0rrect")
	require.NotContains(t, w.log.String(), "c0rrect")
}

// TestGuardedTargets are refused when they are dialled, whatever their name says.
func TestGuardedTargets(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, func(o *forward.Options) {
		o.Guard = guard.New(guard.Options{Ports: []uint16{80, 443}, PortsFrom: 1024})
	})
	for name, target := range map[string]string{
		"hook":  `{"webhook":{"url":"http://localhost:9/"}}`,
		"nats":  `{"nats":{"url":"nats://localhost:4222","subject":"x"}}`,
		"kafka": `{"kafka":{"brokers":["localhost:9092"],"topic":"x"}}`,
		"s3":    `{"s3":{"endpoint":"http://localhost:9000","region":"r","bucket":"logs","access_key_id":"a","secret_access_key":{"value":"b"}}}`,
	} {
		save(t, s, name, "api a", target)
		_, err := s.Test(t.Context(), tenant, name)
		kindOf(t, err, seamark.Unprocessable, "not a public address")
	}
}
