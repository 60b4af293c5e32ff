package influx_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/influx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func now() time.Time { return time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC) }

// decode decodes body twice, with an empty and a warm catalogue, and returns the second batch, which must be the same.
func decode(t *testing.T, body string, o influx.Options) (*seamark.Batch, *influx.Faults) {
	t.Helper()
	d, cat, b := influx.New(), catalogtest.New(), new(seamark.Batch)
	o.Now = now()
	var first []string
	for range 2 {
		b.Reset()
		o.Faults = new(influx.Faults)
		require.NoError(t, d.Decode([]byte(body), cat, b, o))
		if first == nil {
			first = rows(b)
		}
	}
	require.Equal(t, first, rows(b), "a warm catalogue changes nothing")
	return b, o.Faults
}

// rows renders the samples of a batch, one a line: name{labels} value time.
func rows(b *seamark.Batch) []string {
	list := []string{}
	for i := range b.Samples.Len() {
		s := b.Samples.Series[b.Samples.SeriesRef[i]]
		var labels []string
		for _, l := range s.Labels {
			if l.Name != seamark.MetricNameLabel {
				labels = append(labels, fmt.Sprintf("%s=%q", l.Name, l.Value))
			}
		}
		list = append(list, fmt.Sprintf("%s{%s} %v %d", s.Name, strings.Join(labels, ","), b.Samples.Value[i], b.Samples.TimeMilli[i]))
	}
	return list
}

func TestDecode(t *testing.T) {
	good := func(name, body string, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			b, faults := decode(t, body, influx.Options{})
			require.Equal(t, want, rows(b))
			require.Zero(t, faults.Total, "%v", b.Rejected.Reasons)
			require.NoError(t, influx.Refusal(b, faults))
		})
	}
	good("types", `m,tag=v field=1,field2=2i,s="x",b=t,u=7u 1465839830100400200`,
		`m_field{tag="v"} 1 1465839830100`, `m_field2{tag="v"} 2 1465839830100`, `m_b{tag="v"} 1 1465839830100`, `m_u{tag="v"} 7 1465839830100`)
	good("value names the metric alone", "temp,room=a value=21.5,max=22 1000000", `temp{room="a"} 21.5 1`, `temp_max{room="a"} 22 1`)
	good("no timestamp", "m f=1", fmt.Sprintf(`m_f{} 1 %d`, now().UnixMilli()))
	good("booleans", "m a=t,b=T,c=true,d=True,e=TRUE,f=f,g=F,h=false,i=False,j=FALSE 0",
		"m_a{} 1 0", "m_b{} 1 0", "m_c{} 1 0", "m_d{} 1 0", "m_e{} 1 0", "m_f{} 0 0", "m_g{} 0 0", "m_h{} 0 0", "m_i{} 0 0", "m_j{} 0 0")
	good("blank lines, comments and carriage returns", "\n  \t\n# a comment, x=1\nm f=1 1000000\r\n\r\n   m f=2   2000000  \r\n#\nm f=3 3000000",
		"m_f{} 1 1", "m_f{} 2 2", "m_f{} 3 3")
	good("escapes", `my\ m\,x,ta\,g\=a=v\ a\,l\=u\e f\=i\,e\ ld=1 0`, `my_m_x_f_i_e_ld{ta_g_a="v a,l=u\\e"} 1 0`)
	good("a backslash before a backslash is text", `m,p=C:\\d\x f=1 0`, `m_f{p="C:\\\\d\\x"} 1 0`)
	good("strings with everything", "m s=\"a,b c=d\\\"e\\\\\",f=1,t=\"two\nlines # x=1\" 1000000\nm f=2 2000000", "m_f{} 1 1", "m_f{} 2 2")
	good("names", "9.cpu-usage%,host.name=a,1x=b größe:a=1 0", `_9_cpu_usage__gr__e:a{_1x="b",host_name="a"} 1 0`)
	good("negative time", "m f=1 -1", "m_f{} 1 -1")
}

func TestDecodeCountsStringsQuietly(t *testing.T) {
	b, faults := decode(t, "m f=1 0\nm s=\"x\",f=2,t=\"y\" 0\nlog m=\"only text\" 0\n", influx.Options{})
	require.Equal(t, []string{"m_f{} 1 0", "m_f{} 2 0"}, rows(b))
	require.Len(t, b.Rejected.Reasons, 1)
	require.Equal(t, "seamark-field-string", b.Rejected.Reasons[0].Reason)
	require.Equal(t, 3, b.Rejected.Reasons[0].Count)
	require.Contains(t, b.Rejected.Reasons[0].Detail, "line 2")
	require.NoError(t, influx.Refusal(b, faults), "a sender of strings and numbers must not be told to give up")
}

// TestDecodeRefusesLines puts each bad line between two good ones, which must be kept.
func TestDecodeRefusesLines(t *testing.T) {
	bad := func(line, reason, want string) {
		t.Helper()
		t.Run(line, func(t *testing.T) {
			b, faults := decode(t, "good f=1 0\n\n"+line+"\ngood f=2 0", influx.Options{})
			require.Equal(t, []string{"good_f{} 1 0", "good_f{} 2 0"}, rows(b))
			require.Equal(t, 1, b.Rejected.Samples)
			require.Equal(t, 1, faults.Total)
			require.Equal(t, 3, faults.List[0].Line)
			require.Equal(t, reason, faults.List[0].Reason)
			require.Contains(t, faults.List[0].Message, want)
			require.Contains(t, b.Rejected.Reasons[0].Detail, "Line 3: ")
			err := influx.Refusal(b, faults)
			require.Equal(t, seamark.Invalid, seamark.KindOf(err))
			require.Contains(t, err.Error(), "partial write: 1 refused, dropped=1; 2 samples are stored. Line 3 ("+reason+"): ")
		})
	}
	const syntax, value, stamp = "seamark-point-syntax", "seamark-point-value", "seamark-point-timestamp"
	bad("m", syntax, "the space is missing at byte 2, where the line ends.")
	bad("m,a=b", syntax, "the space is missing")
	bad("m ", syntax, "without a value")
	bad("m f", syntax, "without a value")
	bad("m f 1=2", syntax, "without a value")
	bad("m a=1,f", syntax, "without a value at byte 7")
	bad("m a=1,=2", syntax, "without a name")
	bad("m a=1,", syntax, "without a value")
	bad(",a=b f=1", syntax, "without a measurement")
	bad("m, f=1", syntax, "A tag without a value")
	bad("m,a f=1", syntax, "A tag without a value")
	bad("m,a= f=1", syntax, "A tag without a value")
	bad("m,=a f=1", syntax, "A tag without a name at byte 3")
	bad("m,a=b=c f=1", syntax, "equals sign")
	bad("m,__name__=x f=1", "seamark-point-name", "__name__")
	bad("m,a=b,a=c f=1", "seamark-label-duplicate", "")
	bad("m,a=\xff f=1", "seamark-label-utf8", "")
	bad("m f=", value, "at byte 5")
	bad("m f=x", value, `at byte 5, before "x"`)
	bad("m f=1x", value, "")
	bad("m f=1ii", value, "")
	bad("m f=-", value, "")
	bad("m f=.", value, "")
	bad("m f=1e", value, "")
	bad("m f=1.5i", value, "")
	bad("m f=-1u", value, "")
	bad("m f=9223372036854775808i", value, "")
	bad("m f=-9223372036854775809i", value, "")
	bad("m f=18446744073709551616u", value, "")
	bad("m f=1e999", value, "")
	bad("m f=NaN", value, "")
	bad("m f=+Inf", value, "")
	bad("m f=tRUE", value, "")
	bad("m f=0x1p3", value, "")
	bad("m f=1_000", value, "")
	bad(`m f="never closed`, value, "")
	bad(`m f="a"b`, value, "")
	bad(`m f=1,s="`, value, "")
	bad("m f=1 x", stamp, `at byte 7, before "x"`)
	bad("m f=1 1.5", stamp, "")
	bad("m f=1 -", stamp, "")
	bad("m f=1 1 2", stamp, "")
	bad("m f=1 9223372036854775808", stamp, "")
	bad("m f=1 99999999999999999999999", stamp, "")
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1.": 1, ".5": .5, "+2": 2, "-1.25e+2": -125, "1E-3": .001, "0.1": .1, "123456789.123": 123456789.123,
		"1.7976931348623157e308": math.MaxFloat64, "5e-324": 5e-324, "9007199254740993": 9007199254740992, "3.141592653589793238462643": math.Pi,
		"00000000000000000000000000001": 1, "1e-400": 0, "9223372036854775807i": 1 << 63, "-9223372036854775808i": -(1 << 63),
		"18446744073709551615u": 1 << 64, "+18446744073709551615u": 1 << 64, "007i": 7, "-5i": -5, "1e22": 1e22, "1e23": 1e23, "8.41e21": 8.41e21, "9.5367431640625e-7": 9.5367431640625e-7,
	} {
		b, _ := decode(t, "m f="+text+" 0", influx.Options{})
		require.Equal(t, 1, b.Samples.Len(), "%s: %v", text, b.Rejected.Reasons)
		require.Equal(t, math.Float64bits(want), math.Float64bits(b.Samples.Value[0]), "%s gave %v", text, b.Samples.Value[0])
	}
}

func TestPrecision(t *testing.T) {
	for _, c := range []struct {
		parse     func(string) (influx.Precision, error)
		text      string
		time      int64
		wantMilli int64
	}{
		{influx.ParsePrecisionV1, "", 1465839830100400200, 1465839830100},
		{influx.ParsePrecisionV1, "n", -1, -1},
		{influx.ParsePrecisionV1, "u", 1465839830100400, 1465839830100},
		{influx.ParsePrecisionV1, "ms", 1465839830100, 1465839830100},
		{influx.ParsePrecisionV1, "s", 1465839830, 1465839830000},
		{influx.ParsePrecisionV1, "m", 24430663, 1465839780000},
		{influx.ParsePrecisionV1, "h", 407177, 1465837200000},
		{influx.ParsePrecisionV2, "", 1465839830100400200, 1465839830100},
		{influx.ParsePrecisionV2, "ns", 1999999, 1},
		{influx.ParsePrecisionV2, "us", 1999, 1},
		{influx.ParsePrecisionV2, "ms", 7, 7},
		{influx.ParsePrecisionV2, "s", 7, 7000},
	} {
		p, err := c.parse(c.text)
		require.NoError(t, err)
		b, _ := decode(t, fmt.Sprintf("m f=1 %d", c.time), influx.Options{Precision: p})
		require.Equal(t, []int64{c.wantMilli}, b.Samples.TimeMilli, "%q", c.text)
	}
	for _, text := range []string{"m", "h", "n", "u", "x"} {
		_, err := influx.ParsePrecisionV2(text)
		require.Equal(t, seamark.Invalid, seamark.KindOf(err), "%q", text)
	}
	_, err := influx.ParsePrecisionV1("d")
	require.ErrorContains(t, err, `precision is "d"; send n, u, ms, s, m or h`)
	b, faults := decode(t, "m f=1 9223372036854775807", influx.Options{Precision: influx.Hour})
	require.Zero(t, b.Samples.Len())
	require.Contains(t, faults.List[0].Message, "too large for its precision")
}

// TestDecodeNamesTheFirstLines refuses more lines than an answer names, and counts lines through strings with newlines.
func TestDecodeNamesTheFirstLines(t *testing.T) {
	body := "m s=\"\n\n\",f=1 0\n" + strings.Repeat("bad\n", 25) + "m f=2 0"
	b, faults := decode(t, body, influx.Options{})
	require.Len(t, rows(b), 2)
	require.Equal(t, 25, faults.Total)
	require.Len(t, faults.List, influx.MaxFaults)
	require.Equal(t, 4, faults.List[0].Line)
	require.Equal(t, 13, faults.List[9].Line)
	require.Equal(t, 25, b.Rejected.Reasons[0].Count)
	err := influx.Refusal(b, faults)
	require.ErrorContains(t, err, "Line 13 (seamark-point-syntax)")
	require.ErrorContains(t, err, "15 more lines were refused.")
}

// TestRefusalTellsWhatLimitsRefused has a row refused after decoding, which has no line.
func TestRefusalTellsWhatLimitsRefused(t *testing.T) {
	b, faults := decode(t, "m f=1 0", influx.Options{})
	b.Samples.Select(nil)
	b.Rejected.Add(seamark.Metrics, 1, "seamark-time-window", "Too old.")
	err := influx.Refusal(b, faults)
	require.EqualError(t, err, "unable to parse or store any point: 1 refused. seamark-time-window x1: Too old.")
}

type noMemory struct{}

var errNoMemory = errors.New("no memory")

func (noMemory) Claim(int64) error { return errNoMemory }

func TestDecodeAsksForMemory(t *testing.T) {
	b := &seamark.Batch{Claim: noMemory{}}
	err := influx.New().Decode([]byte("m f=1"), catalogtest.New(), b, influx.Options{Now: now()})
	require.ErrorIs(t, err, errNoMemory)
}

func TestDecodeKeepsWhatTheBatchHolds(t *testing.T) {
	d, cat, b := influx.New(), catalogtest.New(), new(seamark.Batch)
	require.NoError(t, d.Decode([]byte("a f=1 0"), cat, b, influx.Options{Now: now()}))
	require.NoError(t, d.Decode([]byte("b f=2,g=x 0\nc f=3 0"), cat, b, influx.Options{Now: now()}))
	require.Equal(t, []string{"a_f{} 1 0", "c_f{} 3 0"}, rows(b))
	require.Len(t, b.Samples.Series, 2)
}
