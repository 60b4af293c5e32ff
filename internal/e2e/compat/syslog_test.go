package compat

import (
	"context"
	"crypto/tls"
	"errors"
	stdsyslog "log/syslog"
	"time"

	"github.com/RackSec/srslog"
	"github.com/docker/docker/daemon/logger/syslog"
	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/metric"
	commontls "github.com/influxdata/telegraf/plugins/common/tls"
	"github.com/influxdata/telegraf/plugins/outputs"
	telegrafsyslog "github.com/influxdata/telegraf/plugins/outputs/syslog"
)

func syslogs() []client {
	const protocol = "Syslog"
	return []client{
		{
			protocol: protocol, name: "log/syslog", streams: true,
			checks: []check{{"RFC 3164 with the host's time, over TCP, a line each", checkStdSyslog}},
		},
		{
			protocol: protocol, name: "srslog", modules: []string{"github.com/RackSec/srslog"}, streams: true,
			checks: []check{
				{"RFC 3164, over TCP, a line each", func(ctx context.Context, x *account) error {
					return checkSrslog(ctx, x, "tcp", `| service_name="srs"`, srslog.RFC3164Formatter, srslog.DefaultFramer)
				}},
				{"RFC 5424, over TLS, counted (RFC 5425)", func(ctx context.Context, x *account) error {
					return checkSrslog(ctx, x, "tcp+tls", `| msgid="srs"`, srslog.RFC5424Formatter, srslog.RFC5425MessageLengthFramer)
				}},
			},
		},
		{
			protocol: protocol, name: "Docker's log driver syslog", modules: []string{dockerModule}, streams: true,
			checks: []check{
				{"rfc5424micro, over TLS, counted", checkDockerSyslog("tcp+tls", "syslog.tls-listen", "rfc5424micro")},
				{"rfc3164, over TCP", checkDockerSyslog("tcp", "syslog.listen", "rfc3164")},
				{"its own default format, over TCP", checkDockerSyslog("tcp", "syslog.listen", "")},
			},
		},
		{
			protocol: protocol, name: "Telegraf, outputs.syslog", modules: []string{telegrafModule}, streams: true,
			checks: []check{
				{"RFC 5424 with structured data, over TLS, counted", func(ctx context.Context, x *account) error {
					return checkTelegrafSyslog(ctx, x, "octet-counting", nil)
				}},
				{"RFC 5424, over TLS, a line each; another tenant's token in the structured data", checkTelegrafSyslogToken},
			},
		},
	}
}

func checkStdSyslog(ctx context.Context, x *account) error {
	w, err := stdsyslog.Dial("tcp", x.listeners["syslog.listen"], stdsyslog.LOG_LOCAL3|stdsyslog.LOG_NOTICE, "std-app")
	if err != nil {
		return err
	}
	if err := errors.Join(w.Notice("a notice"), w.Err("an error"), w.Close()); err != nil {
		return err
	}
	return x.wantLines(ctx, `{service_name="std-app"}`, []line{
		{0, "a notice", map[string]string{"detected_level": "info", "cluster": clusterName}},
		{0, "an error", map[string]string{"detected_level": "error", "cluster": clusterName}},
	})
}

func checkSrslog(ctx context.Context, x *account, network, only string, format srslog.Formatter, frame srslog.Framer) error {
	address := x.listeners["syslog.listen"]
	if network == "tcp+tls" {
		address = x.listeners["syslog.tls-listen"]
	}
	const tag = "srs" // RFC3164's tag; in RFC 5424 the library has it as the message's id
	w, err := srslog.DialWithTLSConfig(network, address, srslog.LOG_LOCAL0|srslog.LOG_INFO, tag, &tls.Config{MinVersion: tls.VersionTLS12})
	if err != nil {
		return err
	}
	w.SetFormatter(format)
	w.SetFramer(frame)
	w.SetHostname("node-7")
	if err := errors.Join(w.Warning("a warning"), w.Crit("the worst"), w.Close()); err != nil {
		return err
	}
	labels := map[string]string{"cluster": clusterName}
	return x.wantLines(ctx, `{node="node-7"} |~ "a warning|the worst" `+only, []line{
		{0, "a warning", with(labels, map[string]string{"detected_level": "warn"})},
		{0, "the worst", with(labels, map[string]string{"detected_level": "critical"})},
	})
}

// checkDockerSyslog returns a check of Docker's driver. The driver's messages carry the time at which they are sent.
func checkDockerSyslog(network, listener, format string) func(context.Context, *account) error {
	return func(ctx context.Context, x *account) error {
		app := "docker" + format
		options := map[string]string{"syslog-address": network + "://" + x.listeners[listener], "syslog-format": format, "syslog-tls-ca-cert": authority.certificate, "tag": app}
		if err := dockerLog(syslog.New, options, time.Now(), "GET /cart 200", "GET /pay 500"); err != nil {
			return err
		}
		return x.wantLines(ctx, `{service_name="`+app+`"}`, []line{
			{0, "GET /cart 200", map[string]string{"detected_level": "info", "cluster": clusterName}},
			{0, "GET /pay 500", map[string]string{"detected_level": "error", "cluster": clusterName}},
		})
	}
}

func telegrafSyslog(x *account, framing string) (*telegrafsyslog.Syslog, error) {
	output, ok := outputs.Outputs["syslog"]().(*telegrafsyslog.Syslog)
	if !ok {
		return nil, errUnknownOutput
	}
	output.Address, output.Framing, output.Log = "tcp://"+x.listeners["syslog.tls-listen"], framing, telegrafLog("syslog")
	output.ClientConfig = commontls.ClientConfig{TLSCA: authority.certificate}
	output.DefaultSdid, output.Sdids = "default@32473", []string{"seamark@0"}
	return output, nil
}

func checkTelegrafSyslog(ctx context.Context, x *account, framing string, fields map[string]any) error {
	output, err := telegrafSyslog(x, framing)
	if err != nil {
		return err
	}
	all := map[string]any{"msg": "disk is filling", "severity_code": uint64(4), "facility_code": uint64(1), "procid": "17", "free": 3.5}
	for name, value := range fields {
		all[name] = value
	}
	at := time.Now().Truncate(time.Second)
	app := "telegraf-" + framing
	if err := telegrafWrite(output, metric.New("disk", map[string]string{"hostname": "node-9", "appname": app}, all, at, telegraf.Untyped)); err != nil {
		return err
	}
	return x.wantLines(ctx, `{service_name="`+app+`"}`, []line{{at.UnixNano(), "disk is filling", map[string]string{
		"node": "node-9", "detected_level": "warn", "cluster": clusterName, "sd_default_32473_free": "3.5",
	}}})
}

// checkTelegrafSyslogToken sends as a tenant that is not the listener's.
func checkTelegrafSyslogToken(ctx context.Context, x *account) error {
	other, err := x.newAccount(ctx, "syslog-guest")
	if err != nil {
		return err
	}
	return checkTelegrafSyslog(ctx, other, "non-transparent", map[string]any{"seamark@0_token": other.Ingest})
}
