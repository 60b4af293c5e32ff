package forward

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// s3Sink writes each part as an object named after its id, so that a repeat overwrites it.
type s3Sink struct {
	target *S3
	opts   sinkOptions
	client *s3.Client
	http   interface{ CloseIdleConnections() }
}

func newS3Sink(t *S3, secrets *safe, o sinkOptions) *s3Sink {
	client := guardedClient(o)
	options := s3.Options{
		Region: t.Region, HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider(t.AccessKeyID, secrets.Values["s3.secret_access_key"], ""),
		RetryMaxAttempts: 1, UsePathStyle: t.Endpoint != "",
		// Stores that are not Amazon's know no checksums but the signature's.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	}
	if t.Endpoint != "" {
		options.BaseEndpoint = aws.String(t.Endpoint)
	}
	return &s3Sink{target: t, opts: o, client: s3.New(options), http: client}
}

// send implements sink.
func (s *s3Sink) send(ctx context.Context, p *part) error {
	for _, group := range s.groups(p) {
		body, kind, err := s.encode(&group.part)
		if err != nil {
			return err
		}
		_, err = s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: aws.String(s.target.Bucket), Key: aws.String(s.name(p, group.cluster)), Body: bytes.NewReader(body), ContentType: aws.String(kind),
			Metadata: map[string]string{headerKeyBatch: p.id, headerKeyForwarder: p.forwarder},
		})
		if err != nil {
			return s3Refusal(err)
		}
	}
	return nil
}

// group is the rows of one cluster.
type group struct {
	cluster string
	part    part
}

// groups parts the rows by cluster where the objects' names have it, in the order in which the clusters appear.
func (s *s3Sink) groups(p *part) []group {
	if !strings.Contains(s.target.Prefix, "{cluster}") {
		return []group{{part: *p}}
	}
	var list []group
	index := map[string]int{}
	for i := range p.records {
		cluster := p.records[i].cluster
		at, ok := index[cluster]
		if !ok {
			at = len(list)
			index[cluster] = at
			list = append(list, group{cluster: cluster})
		}
		list[at].part.records = append(list[at].part.records, p.records[i])
		list[at].part.rows = append(list[at].part.rows, p.rows[i])
	}
	return list
}

// name returns an object's name. All of it is the same in a repeat: the date is that of the batch's arrival.
func (s *s3Sink) name(p *part, cluster string) string {
	at := p.received.UTC()
	prefix := strings.NewReplacer(
		"{date}", at.Format("2006-01-02"), "{hour}", at.Format("15"), "{cluster}", pathPart(cluster), "{forwarder}", p.forwarder,
	).Replace(s.target.Prefix)
	return prefix + p.id + "." + s.target.Format
}

// pathPart makes a label's value one part of a path.
func pathPart(value string) string {
	value = strings.Map(func(r rune) rune {
		if r <= ' ' || r == '/' || r == '\\' || r > '~' {
			return '_'
		}
		return r
	}, value)
	if strings.Trim(value, ".") == "" {
		return "_"
	}
	return value
}

func (s *s3Sink) encode(p *part) (body []byte, contentType string, err error) {
	if s.target.Format == formatParquet {
		var out bytes.Buffer
		err := s.opts.parquet(&out, p.rows)
		return out.Bytes(), "application/vnd.apache.parquet", err
	}
	body, err = gzipped(p.ndjson())
	return body, "application/gzip", err
}

// s3Refusal keeps what the store says of an error: its code and how long it wants to be left alone.
func s3Refusal(err error) error {
	r := &refusal{err: err}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		r.final = api.ErrorCode() == "EntityTooLarge"
	}
	if resp, ok := errors.AsType[*awshttp.ResponseError](err); ok && resp.Response != nil {
		r.after = retryAfter(resp.Response.Header)
	}
	return r
}

func (s *s3Sink) close() { s.http.CloseIdleConnections() }
