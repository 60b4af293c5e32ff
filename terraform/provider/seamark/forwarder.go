package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type forwarder struct {
	Name               *string           `tfsdk:"name" json:"name"`
	Signal             *string           `tfsdk:"signal" json:"signal,omitempty"`
	Filter             *string           `tfsdk:"filter" json:"filter"`
	Paused             *bool             `tfsdk:"paused" json:"paused,omitempty"`
	Batch              *forwarderBatch   `tfsdk:"batch" json:"batch,omitempty" same:"unsaid"`
	SecretsWO          map[string]string `tfsdk:"secrets_wo" json:"-"`
	SecretsWOVersion   *string           `tfsdk:"secrets_wo_version" json:"-"`
	SecretFingerprints types.Map         `tfsdk:"secret_fingerprints" json:"-"`
	forwarderTarget    `json:"target"`
}

type forwarderBatch struct {
	MaxRows       *int64 `tfsdk:"max_rows" json:"max_rows,omitempty" same:"unsaid"`
	MaxBytes      *int64 `tfsdk:"max_bytes" json:"max_bytes,omitempty" same:"unsaid"`
	MaxAgeSeconds *int64 `tfsdk:"max_age_seconds" json:"max_age_seconds,omitempty" same:"unsaid"`
}

// forwarderTarget is where the rows go; one of the fields.
type forwarderTarget struct {
	Webhook *webhookTarget `tfsdk:"webhook" json:"webhook,omitempty"`
	NATS    *natsTarget    `tfsdk:"nats" json:"nats,omitempty"`
	Kafka   *kafkaTarget   `tfsdk:"kafka" json:"kafka,omitempty"`
	S3      *s3Target      `tfsdk:"s3" json:"s3,omitempty"`
}

type webhookTarget struct {
	URL string `tfsdk:"url" json:"url"`
}

type natsTarget struct {
	URL     string `tfsdk:"url" json:"url"`
	Subject string `tfsdk:"subject" json:"subject"`
}

type kafkaTarget struct {
	Brokers  []string   `tfsdk:"brokers" json:"brokers"`
	Topic    string     `tfsdk:"topic" json:"topic"`
	TLS      *bool      `tfsdk:"tls" json:"tls,omitempty"`
	KeyLabel *string    `tfsdk:"key_label" json:"key_label,omitempty"`
	SASL     *kafkaSASL `tfsdk:"sasl" json:"sasl,omitempty"`
}

type kafkaSASL struct {
	Mechanism string `tfsdk:"mechanism" json:"mechanism"`
	User      string `tfsdk:"user" json:"user"`
}

type s3Target struct {
	Endpoint    *string `tfsdk:"endpoint" json:"endpoint,omitempty"`
	Region      string  `tfsdk:"region" json:"region"`
	Bucket      string  `tfsdk:"bucket" json:"bucket"`
	Prefix      *string `tfsdk:"prefix" json:"prefix,omitempty"`
	Format      *string `tfsdk:"format" json:"format,omitempty"`
	AccessKeyID string  `tfsdk:"access_key_id" json:"access_key_id"`
}

func forwarderKind() crud.Kind {
	return &crud.Spec[forwarder]{
		Name:    "forwarder",
		Summary: "A forwarder: it sends the tenant's logs or events on to another system.",
		Text: "The target's secrets are the values of `secrets_wo`, by name: of a `webhook` headers by their names, of `nats` `credentials` or `token`, of `kafka` `password`, " +
			"of `s3` `secret_access_key`. What has a value on the server is told by `secret_fingerprints`; another value there is drift, and the next apply sends the secrets again.",
		Key: []string{"name"}, Hidden: []string{"secrets_wo_version"},
		Rename: map[string]string{"/target": ""},
		Attributes: map[string]schema.Attribute{
			"name":   required("Unique in the tenant.", fixed),
			"signal": optional("`logs` or `events`.", otherwise("logs"), among("logs", "events")),
			"filter": required("LogQL query of what is sent, such as `{app=\"api\"} |= \"error\"`."),
			"paused": schema.BoolAttribute{Optional: true, MarkdownDescription: "Keeps the position and sends nothing."},
			"batch": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "A batch is sent at the first of its limits; what is left out is the server's.",
				Attributes: map[string]schema.Attribute{
					"max_rows": number("Rows."), "max_bytes": number("Bytes of rows as NDJSON."), "max_age_seconds": number("Age of the oldest row."),
				},
			},
			"webhook":            targetAttribute("Takes batches by POST as gzipped NDJSON.", map[string]schema.Attribute{"url": required("http or https; without secrets.")}),
			"nats":               targetAttribute("Takes rows as messages that a JetStream stream keeps.", map[string]schema.Attribute{"url": required("nats or tls."), "subject": required("Subject of the messages.")}),
			"kafka":              targetAttribute("Takes rows as records.", kafkaAttributes()),
			"s3":                 targetAttribute("Takes batches as objects.", s3Attributes()),
			"secrets_wo":         secretTexts("The target's secrets by name."),
			"secrets_wo_version": secretsVersion(),
			"secret_fingerprints": schema.MapAttribute{
				ElementType: types.StringType, Computed: true, MarkdownDescription: "Tells one value of a secret from another, and nothing about either.",
			},
		},
		Check: []resource.ConfigValidator{
			resourcevalidator.ExactlyOneOf(path.MatchRoot("webhook"), path.MatchRoot("nats"), path.MatchRoot("kafka"), path.MatchRoot("s3")),
		},
		Secrets: func(m, config *forwarder) { m.SecretsWO = config.SecretsWO },
		Create: func(ctx context.Context, a *crud.Access, m *forwarder) error {
			return m.save(ctx, a, a.Keep(), client.IfAbsent())
		},
		Read:   readForwarder,
		Update: func(ctx context.Context, a *crud.Access, m, _ *forwarder) error { return m.save(ctx, a, a.IfSame()...) },
		Delete: func(ctx context.Context, a *crud.Access, m *forwarder) error {
			return a.DeleteForwarder(ctx, crud.Text(m.Name), a.IfSame()...)
		},
	}
}

func targetAttribute(about string, attributes map[string]schema.Attribute) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{Optional: true, MarkdownDescription: about, Attributes: attributes}
}

func kafkaAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"brokers":   schema.ListAttribute{ElementType: types.StringType, Required: true, MarkdownDescription: "As `host:port`."},
		"topic":     required("Topic of the records."),
		"tls":       schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether the brokers speak TLS."},
		"key_label": optional("The label whose value is the records' key."),
		"sasl": targetAttribute("How it signs in; the `password` is a secret.", map[string]schema.Attribute{
			"mechanism": required("`plain`, `scram-sha-256` or `scram-sha-512`.", among("plain", "scram-sha-256", "scram-sha-512")),
			"user":      required("The user's name."),
		}),
	}
}

func s3Attributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"endpoint":      optional("Amazon's of the region unless told."),
		"region":        required("Region of the bucket."),
		"bucket":        required("Its name."),
		"prefix":        optional("Begins the objects' names; `{date}`, `{hour}`, `{cluster}` and `{forwarder}` are filled in."),
		"format":        optional("`ndjson.gz` or `parquet`.", otherwise("ndjson.gz"), among("ndjson.gz", "parquet")),
		"access_key_id": required("Id of the key, whose `secret_access_key` is a secret."),
	}
}

// secret is a secret's value, or what stands for the stored one.
func (m *forwarder) secret(name string) client.ForwarderSecret {
	if value, ok := m.SecretsWO[name]; ok {
		return client.ForwarderSecret{Value: &value}
	}
	return client.ForwarderSecret{Set: new(true)}
}

// secretIfGiven is that for secrets that a target may go without.
func (m *forwarder) secretIfGiven(name string) *client.ForwarderSecret {
	if _, ok := m.SecretsWO[name]; !ok {
		return nil
	}
	return new(m.secret(name))
}

func (m *forwarder) save(ctx context.Context, a *crud.Access, options ...client.CallOption) error {
	var body client.NewForwarder
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	switch to := &body.Target; {
	case to.Webhook != nil && len(m.SecretsWO) > 0:
		to.Webhook.Headers = map[string]client.ForwarderSecret{}
		for name := range m.SecretsWO {
			to.Webhook.Headers[name] = m.secret(name)
		}
	case to.Nats != nil:
		to.Nats.Credentials, to.Nats.Token = m.secretIfGiven("credentials"), m.secretIfGiven("token")
	case to.Kafka != nil && to.Kafka.Sasl != nil:
		to.Kafka.Sasl.Password = m.secret("password")
	case to.S3 != nil:
		to.S3.SecretAccessKey = m.secret("secret_access_key")
	}
	saved, err := a.SaveForwarder(ctx, crud.Text(m.Name), body, options...)
	if err != nil {
		return err
	}
	a.Made()
	m.SecretFingerprints = fingerprints(&saved.Target)
	return crud.Into(m)(saved, nil)
}

func readForwarder(ctx context.Context, a *crud.Access, m *forwarder) error {
	found, err := a.FindForwarder(ctx, crud.Text(m.Name), a.Keep())
	if err != nil {
		return err
	}
	now := fingerprints(&found.Target)
	if !m.SecretFingerprints.IsNull() && !m.SecretFingerprints.Equal(now) {
		m.SecretsWOVersion = nil // so that the plan shows it, and sends them again
	}
	m.SecretFingerprints = now
	if m.Filter == nil { // an import or a data source, which takes what the server says
		if err := crud.Body(found.Batch, &m.Batch); err != nil {
			return err
		}
	}
	return crud.Into(m)(found, nil)
}

// fingerprints returns those of a target's secrets by name.
func fingerprints(target *client.ForwarderTarget) types.Map {
	secrets := map[string]*client.ForwarderSecret{}
	switch {
	case target.Webhook != nil:
		for name, secret := range target.Webhook.Headers {
			secrets[name] = &secret
		}
	case target.Nats != nil:
		secrets["credentials"], secrets["token"] = target.Nats.Credentials, target.Nats.Token
	case target.Kafka != nil && target.Kafka.Sasl != nil:
		secrets["password"] = &target.Kafka.Sasl.Password
	case target.S3 != nil:
		secrets["secret_access_key"] = &target.S3.SecretAccessKey
	}
	all := map[string]attr.Value{}
	for name, secret := range secrets {
		if secret != nil && secret.Fingerprint != nil {
			all[name] = types.StringValue(*secret.Fingerprint)
		}
	}
	return types.MapValueMust(types.StringType, all)
}
