package store

import (
	"math"
	"testing"
)

// sampleScanStatements returns every statement that a cache of samples asks, with text wherever a text can stand.
func sampleScanStatements(text string) map[string]*logSQL {
	news := SampleNewsQuery{After: 5, Until: 9, Above: 6, To: 7, StartMilli: 1, EndMilli: 2, Newest: map[uint8]uint64{3: 259, 1: 513}, Metrics: []string{text, "b"}}
	everything := SampleNewsQuery{After: 5, Until: 9, To: math.MaxInt64, StartMilli: 1, EndMilli: 2}
	return map[string]*logSQL{
		"parts":              samplePartsSQL(TableSamples),
		"parts, histograms":  samplePartsSQL(TableHistograms),
		"scan":               sampleScanSQL(&SampleScanQuery{Metrics: []string{text, "b"}, FPs: []uint64{2, 1}, StartMilli: 1, EndMilli: 2}),
		"scan, whole":        sampleScanSQL(&SampleScanQuery{Metrics: []string{text, "b"}, FPs: []uint64{2, 1}, Whole: true, StartMilli: 1, EndMilli: 2}),
		"news":               sampleNewsSQL(&news),
		"news, everything":   sampleNewsSQL(&everything),
		"histograms' metric": histogramMetricsSQL(7),
	}
}

func TestSampleScanSQLGolden(t *testing.T) {
	golden(t, "samplescan.golden.sql", sampleScanStatements("it's"))
}

func TestSampleScanSQLKeepsTextOut(t *testing.T) {
	plain := sampleScanStatements("plain")
	for _, text := range []string{"", "'", "{p0:String}", "\\", "`", "\x00\n\t", "*/ --"} {
		for name, b := range sampleScanStatements(text) {
			if got, want := b.String(), plain[name].String(); got != want {
				t.Errorf("%s with %q:\n got %s\nwant %s", name, text, got, want)
			}
		}
	}
}
