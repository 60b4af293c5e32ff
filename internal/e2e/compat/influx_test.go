package compat

import (
	"context"
	"errors"
	"fmt"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
	influxdb1 "github.com/influxdata/influxdb1-client/v2"
	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/config"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/plugins/outputs"
	"github.com/influxdata/telegraf/plugins/outputs/influxdb"
	"github.com/influxdata/telegraf/plugins/outputs/influxdb_v2"
	"github.com/influxdata/telegraf/selfstat"
)

const influxProtocol = "InfluxDB line"

func influxes() []client {
	return []client{
		{
			protocol: influxProtocol, name: "influxdb1-client", modules: []string{"github.com/influxdata/influxdb1-client"},
			checks: []check{
				{"Ping", checkInfluxPing},
				{"CREATE DATABASE, write in nanoseconds, milliseconds and seconds; token as password", checkInflux1},
			},
		},
		{
			protocol: influxProtocol, name: "influxdb-client-go", modules: []string{"github.com/influxdata/influxdb-client-go/v2"},
			checks: []check{
				{"Health and Ping", checkInflux2Health},
				{"blocking write of float, integer, boolean; the client's default nanoseconds", checkInflux2Blocking},
				{"batching write with gzip, in seconds", checkInflux2Batching},
			},
		},
		{
			protocol: influxProtocol, name: "Telegraf, outputs.influxdb", modules: []string{telegrafModule},
			checks: []check{{"database creation, gzip, unsigned integers; token as password", checkTelegrafInflux1}},
		},
		{
			protocol: influxProtocol, name: "Telegraf, outputs.influxdb_v2", modules: []string{telegrafModule},
			checks: []check{{"gzip; token", checkTelegrafInflux2}},
		},
	}
}

var errUnknownOutput = errors.New("the output of Telegraf has another type than it had")

func influx1(x *account) (influxdb1.Client, error) {
	return influxdb1.NewHTTPClient(influxdb1.HTTPConfig{Addr: x.URL, Username: "any", Password: x.Ingest, Timeout: within})
}

func checkInfluxPing(_ context.Context, x *account) error {
	c, err := influx1(x)
	if err != nil {
		return err
	}
	_, version, err := c.Ping(0)
	if err == nil && version == "" {
		err = errors.New("the server names no version")
	}
	return errors.Join(err, c.Close())
}

func checkInflux1(ctx context.Context, x *account) error {
	c, err := influx1(x)
	if err != nil {
		return err
	}
	answer, err := c.Query(influxdb1.NewQuery("CREATE DATABASE telemetry", "", ""))
	if err == nil {
		err = answer.Error()
	}
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	at, want := time.Now().Truncate(time.Second), timed{}
	for _, precision := range []string{"ns", "ms", "s"} {
		points, err := influxdb1.NewBatchPoints(influxdb1.BatchPointsConfig{Database: "telemetry", Precision: precision})
		if err != nil {
			return err
		}
		p, err := influxdb1.NewPoint("old cpu", map[string]string{"host": "node 1", "in": precision}, map[string]any{"idle": 10.5, "cores": 8}, at)
		if err != nil {
			return err
		}
		points.AddPoint(p)
		if err := c.Write(points); err != nil {
			return fmt.Errorf("write in %s: %w", precision, err)
		}
		labels := fmt.Sprintf(`{host="node 1",in=%q}`, precision)
		want["old_cpu_idle"+labels], want["old_cpu_cores"+labels] = []point{{at.UnixMilli(), 10.5}}, []point{{at.UnixMilli(), 8}}
	}
	return errors.Join(c.Close(), x.wantSamples(ctx, `{__name__=~"old_cpu.*"}`, want))
}

func influx2(x *account) influxdb2.Client {
	return influxdb2.NewClientWithOptions(x.URL, x.Ingest, influxdb2.DefaultOptions().SetUseGZip(true).SetPrecision(time.Second))
}

func checkInflux2Health(ctx context.Context, x *account) error {
	c := influx2(x)
	defer c.Close()
	health, err := c.Health(ctx)
	if err == nil && health.Status != "pass" {
		err = fmt.Errorf("health: %s", health.Status)
	}
	alive, pingErr := c.Ping(ctx)
	if pingErr == nil && !alive {
		pingErr = errors.New("ping: not alive")
	}
	return errors.Join(err, pingErr)
}

func checkInflux2Blocking(ctx context.Context, x *account) error {
	c := influxdb2.NewClient(x.URL, x.Ingest)
	defer c.Close()
	at := time.Now()
	p := write.NewPoint("new_cpu", map[string]string{"host": "node-1", "in": "ns"}, map[string]any{"idle": 10.5, "cores": 8, "busy": true}, at)
	if err := c.WriteAPIBlocking("seamark", "telemetry").WritePoint(ctx, p); err != nil {
		return err
	}
	const labels = `{host="node-1",in="ns"}`
	return x.wantSamples(ctx, `{__name__=~"new_cpu.*", in="ns"}`, timed{
		"new_cpu_idle" + labels: {{at.UnixMilli(), 10.5}}, "new_cpu_cores" + labels: {{at.UnixMilli(), 8}}, "new_cpu_busy" + labels: {{at.UnixMilli(), 1}},
	})
}

func checkInflux2Batching(ctx context.Context, x *account) error {
	c := influx2(x)
	defer c.Close()
	at := time.Now().Truncate(time.Second)
	api := c.WriteAPI("seamark", "telemetry")
	failed := api.Errors()
	var want []point
	for i := range 3 {
		p := write.NewPoint("new_cpu", map[string]string{"in": "s"}, map[string]any{"idle": float64(i)}, at.Add(time.Duration(i-3)*time.Second))
		want = append(want, point{p.Time().UnixMilli(), float64(i)})
		api.WritePoint(p)
	}
	api.Flush()
	select {
	case err := <-failed:
		return err
	default:
	}
	return x.wantSamples(ctx, `{__name__=~"new_cpu.*", in="s"}`, timed{`new_cpu_idle{in="s"}`: want})
}

func telegrafCPU(at time.Time, agent string) telegraf.Metric {
	return metric.New("cpu", map[string]string{"host": "node-1", "agent": agent},
		map[string]any{"usage_idle": 99.5, "interrupts": uint64(1 << 40), "up": true, "note": "text is no sample"}, at, telegraf.Gauge)
}

func wantTelegrafCPU(ctx context.Context, x *account, at time.Time, agent string) error {
	labels := fmt.Sprintf(`{agent=%q,host="node-1"}`, agent)
	return x.wantSamples(ctx, fmt.Sprintf(`{__name__=~"cpu_.+", agent=%q}`, agent), timed{
		"cpu_usage_idle" + labels: {{at.UnixMilli(), 99.5}}, "cpu_interrupts" + labels: {{at.UnixMilli(), 1 << 40}}, "cpu_up" + labels: {{at.UnixMilli(), 1}},
	})
}

func checkTelegrafInflux1(ctx context.Context, x *account) error {
	output, ok := outputs.Outputs["influxdb"]().(*influxdb.InfluxDB)
	if !ok {
		return errUnknownOutput
	}
	output.URLs, output.Database, output.Log = []string{x.URL}, "telegraf", telegrafLog("influxdb")
	output.Username, output.Password = config.NewSecret([]byte("any")), config.NewSecret([]byte(x.Ingest))
	output.InfluxUintSupport, output.Statistics = true, selfstat.NewCollector(nil)
	at := time.Now()
	if err := telegrafWrite(output, telegrafCPU(at, "influxdb")); err != nil {
		return err
	}
	return wantTelegrafCPU(ctx, x, at, "influxdb")
}

func checkTelegrafInflux2(ctx context.Context, x *account) error {
	output, ok := outputs.Outputs["influxdb_v2"]().(*influxdb_v2.InfluxDB)
	if !ok {
		return errUnknownOutput
	}
	output.URLs, output.Organization, output.Bucket, output.Log = []string{x.URL}, "seamark", "telegraf", telegrafLog("influxdb_v2")
	output.Token, output.ContentEncoding, output.UintSupport = config.NewSecret([]byte(x.Ingest)), "gzip", true
	at := time.Now()
	if err := telegrafWrite(output, telegrafCPU(at, "influxdb_v2")); err != nil {
		return err
	}
	return wantTelegrafCPU(ctx, x, at, "influxdb_v2")
}
