package influx_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/influx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// telegraf is what Telegraf's influx serialiser wrote for a host, with an escaped tag, a string and unsigned integers.
const telegraf = `cpu,cpu=cpu-total,host=node-1 usage_user=3.1512605042,usage_idle=96.4285714285,usage_iowait=0 1760000000000000000
disk,device=sda1,fstype=ext4,host=node-1,mode=rw,path=/var/lib/my\ data free=1234567890i,inodes_free=42u,used_percent=17.25 1760000000000000000
system,host=node-1 uptime_format="12 days, 3:04",uptime=1047840i,n_users=2i,load1=0.08 1760000000000000000
net_response,host=node-1,port=443,protocol=tcp,result=success,server=example.com result_type="success",response_time=0.0123,up=true 1760000000000000000
`

func FuzzDecode(f *testing.F) {
	f.Add(telegraf, uint8(0))
	f.Add("m f=1\n\n# c\nm,a=b f=t,g=\"x\\\"\n\",h=-1.5e-3 12\r\n", uint8(3))
	f.Add("m f=\"a\nm g=\"b\"\nm\\ ,a=b\\=c f\\,=2i", uint8(5))
	d, b, warm := influx.New(), new(seamark.Batch), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body string, precision uint8) {
		cat, faults := catalogtest.New(), new(influx.Faults)
		o := influx.Options{Now: now(), Precision: influx.Precision(precision % 6), Faults: faults}
		b.Reset()
		if err := d.Decode([]byte("good f=1 0\n"+body+"\ngood f=2 0"), cat, b, o); err != nil {
			t.Fatal(err)
		}
		warm.Reset()
		if err := d.Decode([]byte("good f=1 0\n"+body+"\ngood f=2 0"), cat, warm, influx.Options{Now: now(), Precision: o.Precision}); err != nil {
			t.Fatal(err)
		}
		if got, want := rows(warm), rows(b); strings.Join(got, "\n") != strings.Join(want, "\n") || b.Rejected.Samples != warm.Rejected.Samples {
			t.Fatalf("warm %q %v, cold %q %v", got, warm.Rejected, want, b.Rejected)
		}
		samples := &b.Samples
		if n := samples.Len(); n < 1 || samples.Value[0] != 1 || n-2 > len(body)/3 || b.Rejected.Samples > len(body)+2 {
			t.Fatalf("%d rows, %d refused, of %d bytes", n, b.Rejected.Samples, len(body))
		}
		if !strings.Contains(body, `"`) && samples.Value[samples.Len()-1] != 2 {
			t.Fatal("the good line behind was lost")
		}
		if len(samples.SeriesRef) != samples.Len() || len(samples.Value) != samples.Len() || len(samples.Series) != samples.Len() {
			t.Fatal("columns differ in length")
		}
		if influx.Refusal(b, faults) == nil != (faults.Total == 0) {
			t.Fatalf("%d faults, refusal %v", faults.Total, influx.Refusal(b, faults))
		}
		for _, l := range faults.List {
			if l.Line < 2 || l.Line > 3+strings.Count(body, "\n") || !utf8.ValidString(l.Message) || l.Message == "" {
				t.Fatalf("fault %+v", l)
			}
		}
	})
}

// FuzzNumber compares our reading of numbers with the standard library's.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"1", "-0.5", "1e22", "9007199254740993", "0.1", "18446744073709551616", ".", "1e", "4.35", "123456789012345678901"} {
		f.Add(seed)
	}
	d, b, cat := influx.New(), new(seamark.Batch), catalogtest.New()
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Trim(text, "0123456789.eE+-") != "" {
			return
		}
		b.Reset()
		if err := d.Decode([]byte("m f="+text+" 0"), cat, b, influx.Options{}); err != nil {
			t.Fatal(err)
		}
		want, err := strconv.ParseFloat(text, 64)
		switch {
		case (err == nil) != (b.Samples.Len() == 1):
			t.Fatalf("%d rows for %q, which gives %v", b.Samples.Len(), text, err)
		case err == nil && b.Samples.Value[0] != want:
			t.Fatalf("got %v for %q, want %v", b.Samples.Value[0], text, want)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("SHOW DATABASES; CREATE DATABASE x")
	f.Add("CREATE DATABASE \"a;b\"")
	f.Fuzz(func(t *testing.T, query string) {
		got, err := influx.AppendQueryResponse(nil, query, "seamark")
		if err == nil && !json.Valid(got) || err != nil && (seamark.KindOf(err) != seamark.Invalid || len(got) > 0) {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

// BenchmarkDecode decodes 1,000 lines of 10 tags and 10 fields whose series the catalogue knows, as
// Telegraf sends them every ten seconds.
func BenchmarkDecode(b *testing.B) {
	const lines, fields = 1000, 10
	var body []byte
	for i := range lines {
		body = fmt.Appendf(body, "cpu,arch=x64,cpu=cpu%d,datacenter=us-east-1b,hostname=host_%d,os=Ubuntu16.10,rack=67,region=us-east-1,service=7,team=NYC,tier=web ", i%8, i)
		for j := range fields {
			if j > 0 {
				body = append(body, ',')
			}
			body = fmt.Appendf(body, "usage_part_%d=%d.%d", j, i*j%100, i*37%10000)
		}
		body = append(body, " 1760000000000000000\n"...)
	}
	d, cat, batch := influx.New(), catalogtest.New(), new(seamark.Batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		batch.Reset()
		if err := d.Decode(body, cat, batch, influx.Options{Now: now()}); err != nil || batch.Rows() != lines*fields {
			b.Fatal(err, batch.Rows())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines*fields), "ns/row")
}
