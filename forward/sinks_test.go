package forward_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// oneRow makes every row a batch of its own.
const oneRow = `,"batch":{"max_rows":1}`

// failing waits until a forwarder's last error has a text.
func failing(t *testing.T, s *forward.Service, name, text string) {
	t.Helper()
	status(t, s, name, func(st *forward.Status) error {
		if st.LastError == nil || !strings.Contains(st.LastError.Message, text) {
			return fmt.Errorf("got %+v", st.LastError)
		}
		return nil
	})
}

// natsTarget is a customer's NATS server with a token.
func natsTarget(t *testing.T) (address string, js jetstream.JetStream) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), Authorization: "nats-token-of-acme", NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	require.True(t, srv.ReadyForConnections(within))
	nc, err := nats.Connect(srv.ClientURL(), nats.Token("nats-token-of-acme"))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err = jetstream.New(nc)
	require.NoError(t, err)
	return srv.ClientURL(), js
}

// TestNATS waits for a stream that takes the subject, and has each row stored once although it is sent again.
func TestNATS(t *testing.T) {
	address, js := natsTarget(t)
	w := newWorld(t)
	s := w.service(t, nil)
	stop := run(t, s)
	target := fmt.Sprintf(`{"nats":{"url":%q,"subject":"logs.acme","token":{"value":"nats-token-of-acme"}}}`, address)
	save(t, s, "bus", "api a", target, oneRow)
	w.push(t, tenant, "api", "a1", "a2")
	failing(t, s, "bus", "no stream of the target takes the subject logs.acme")
	_, err := s.Test(t.Context(), tenant, "bus")
	require.Equal(t, seamark.Unprocessable, seamark.KindOf(err))
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "L", Subjects: []string{"logs.*"}})
	require.NoError(t, err)
	messages := func(n uint64) {
		t.Helper()
		testkit.Eventually(t, within, func() error {
			info, err := stream.Info(t.Context())
			if err == nil && info.State.Msgs != n {
				err = fmt.Errorf("the stream has %d messages, want %d", info.State.Msgs, n)
			}
			return err
		})
	}
	messages(2)
	first, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.JSONEq(t, `{"line":"a1","labels":{"app":"api","cluster":"c-api"}}`, string(first.Data))
	require.Equal(t, first.Header.Get("seamark-batch")+".0", first.Header.Get(nats.MsgIdHdr))
	trial, err := s.Test(t.Context(), tenant, "bus")
	require.NoError(t, err)
	require.Contains(t, trial.Batch, "test.")
	messages(3)
	stop()
	run(t, w.service(t, nil))
	w.push(t, tenant, "api", "a3")
	messages(4)
	many := make([]string, 2500) // more than are under way at once
	for i := range many {
		many[i] = fmt.Sprint("a", i)
	}
	save(t, s, "bus", "api a", target)
	w.push(t, tenant, "api", many...)
	messages(2504)
	save(t, s, "bus", "api a", fmt.Sprintf(`{"nats":{"url":%q,"subject":"logs.acme","token":{"value":"wrong"}}}`, address), oneRow)
	w.push(t, tenant, "api", "a4")
	failing(t, s, "bus", "Authorization Violation")
}

// TestKafka sends records by key, with SCRAM, to brokers that a broker tells of.
func TestKafka(t *testing.T) {
	brokers, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(3, "logs"), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "acme", "kafka-password-of-acme"))
	require.NoError(t, err)
	t.Cleanup(brokers.Close)
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	target := func(topic, password string) string {
		return fmt.Sprintf(`{"kafka":{"brokers":[%q],"topic":%q,"key_label":"app","sasl":{"mechanism":"scram-sha-256","user":"acme","password":{"value":%q}}}}`,
			brokers.ListenAddrs()[0], topic, password)
	}
	save(t, s, "kafka", "* a", target("logs", "kafka-password-of-acme"), oneRow)
	for i := range 6 {
		w.push(t, tenant, fmt.Sprint("app", i%2), fmt.Sprint("a", i))
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers.ListenAddrs()...), kgo.ConsumeTopics("logs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SASL(scram.Auth{User: "acme", Pass: "kafka-password-of-acme"}.AsSha256Mechanism()))
	require.NoError(t, err)
	t.Cleanup(reader.Close)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	byKey := map[string][]string{}
	partitions := map[string]map[int32]bool{}
	for n := 0; n < 6; {
		fetched := reader.PollFetches(ctx)
		require.NoError(t, ctx.Err())
		fetched.EachRecord(func(r *kgo.Record) {
			n++
			key := string(r.Key)
			byKey[key] = append(byKey[key], string(r.Value))
			if partitions[key] == nil {
				partitions[key] = map[int32]bool{}
			}
			partitions[key][r.Partition] = true
			require.Equal(t, "seamark-batch", r.Headers[0].Key)
			require.Regexp(t, `^logs\.0\.`, string(r.Headers[0].Value))
		})
	}
	for i := range 2 {
		key := fmt.Sprint("app", i)
		require.Len(t, byKey[key], 3)
		require.Len(t, partitions[key], 1, "records of a key keep their order")
		for k, value := range byKey[key] {
			require.Contains(t, value, fmt.Sprintf(`"line":"a%d"`, 2*k+i))
		}
	}
	save(t, s, "kafka", "* a", target("missing", "kafka-password-of-acme"), oneRow)
	w.push(t, tenant, "app0", "a6")
	failing(t, s, "kafka", "UNKNOWN_TOPIC_OR_PARTITION")
	_, err = s.Save(t.Context(), tenant, "kafka", []byte(`{"filter":"* a","target":`+target("logs", "wrong-password")+`}`), nil)
	require.NoError(t, err)
	_, err = s.Test(t.Context(), tenant, "kafka")
	require.Equal(t, seamark.Unprocessable, seamark.KindOf(err))
	require.NotContains(t, err.Error(), "wrong-password")
}

// bucket is a customer's store of objects.
func bucket(t *testing.T) (address string, list func() map[string][]byte) {
	t.Helper()
	backend := s3mem.New()
	fake := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(fake.Close)
	require.NoError(t, backend.CreateBucket("logs"))
	client := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(fake.URL), UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("AK", "SK", "")})
	return fake.URL, func() map[string][]byte {
		found, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("logs")})
		require.NoError(t, err)
		objects := map[string][]byte{}
		for _, o := range found.Contents {
			got, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("logs"), Key: o.Key})
			require.NoError(t, err)
			objects[*o.Key], err = io.ReadAll(got.Body)
			require.NoError(t, err)
		}
		return objects
	}
}

// TestS3 writes objects whose names are the same in a repeat, parted by cluster.
func TestS3(t *testing.T) {
	address, list := bucket(t)
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	target := func(format string) string {
		return fmt.Sprintf(`{"s3":{"endpoint":%q,"region":"us-east-1","bucket":"logs","prefix":"{forwarder}/{date}/{cluster}/","format":%q,"access_key_id":"AK","secret_access_key":{"value":"s3-secret-of-acme"}}}`, address, format)
	}
	objects := func(n int) (names []string, bodies map[string][]byte) {
		t.Helper()
		testkit.Eventually(t, within, func() error {
			bodies = list()
			names = names[:0]
			for name := range bodies {
				names = append(names, name)
			}
			slices.Sort(names)
			if len(names) != n {
				return fmt.Errorf("got %v, want %d objects", names, n)
			}
			return nil
		})
		return names, bodies
	}
	save(t, s, "archive", "* a", target("ndjson.gz"), `,"batch":{"max_rows":2}`)
	w.push(t, tenant, "x", "a1")
	w.push(t, tenant, "y", "a2")
	names, bodies := objects(2)
	date := time.Now().UTC().Format("2006-01-02")
	for i, name := range names {
		require.Regexp(t, `^archive/`+date+`/c-`+[]string{"x", "y"}[i]+`/logs\.0\.[0-9a-f]+\.1-2\.0\.ndjson\.gz$`, name)
		plain, err := gzip.NewReader(strings.NewReader(string(bodies[name])))
		require.NoError(t, err)
		text, err := io.ReadAll(plain)
		require.NoError(t, err)
		require.Contains(t, string(text), fmt.Sprintf(`"line":"a%d"}`+"\n", i+1))
	}
	save(t, s, "archive", "* a", target("parquet"), `,"batch":{"max_rows":2}`)
	w.push(t, tenant, "x", "a3", "a4")
	names, bodies = objects(3)
	at := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, ".parquet") })
	require.GreaterOrEqual(t, at, 0)
	require.Equal(t, "parquet of 2 rows", string(bodies[names[at]]))
	_, err := s.Test(t.Context(), tenant, "archive")
	require.NoError(t, err)
	objects(4)
	body := strings.ReplaceAll(`{"filter":"* a","target":`+target("parquet")+`}`, `"bucket":"logs"`, `"bucket":"missing"`)
	_, err = s.Save(t.Context(), tenant, "archive", []byte(body), nil)
	require.NoError(t, err)
	_, err = s.Test(t.Context(), tenant, "archive")
	require.ErrorContains(t, err, "NoSuchBucket")
}
