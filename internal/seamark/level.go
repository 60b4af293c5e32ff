package seamark

import "strings"

// Level is a log line's severity, brought to one scale. Its value is stable: it stands in bus messages.
type Level uint8

// The levels, as Grafana's Logs Drilldown names them in detected_level.
const (
	LevelUnknown Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelCritical
	levelCount
)

var levelNames = [levelCount]string{"unknown", "trace", "debug", "info", "warn", "error", "critical"}

// String returns the level's name as it is stored and shown.
func (l Level) String() string {
	if l >= levelCount {
		return "unknown"
	}
	return levelNames[l]
}

// LevelNames lists all level names by their value.
func LevelNames() []string { return levelNames[:] }

// ParseLevel maps the words that loggers use to a level; unknown words give LevelUnknown.
func ParseLevel(s string) Level {
	if len(s) == 0 || len(s) > 11 {
		return LevelUnknown
	}
	switch strings.ToLower(s) {
	case "trace", "trc", "finest", "finer", "verbose":
		return LevelTrace
	case "debug", "dbg", "fine", "d":
		return LevelDebug
	case "info", "inf", "information", "notice", "i", "normal":
		return LevelInfo
	case "warn", "warning", "wrn", "w":
		return LevelWarn
	case "error", "err", "eror", "e", "severe":
		return LevelError
	case "critical", "crit", "fatal", "f", "alert", "emerg", "emergency", "panic", "dpanic":
		return LevelCritical
	}
	return LevelUnknown
}

// LevelOfSeverity maps OpenTelemetry's severity number (logs data model, 1 to 24) to a level.
func LevelOfSeverity(number int32) Level {
	switch {
	case number < 1 || number > 24:
		return LevelUnknown
	case number <= 4:
		return LevelTrace
	case number <= 8:
		return LevelDebug
	case number <= 12:
		return LevelInfo
	case number <= 16:
		return LevelWarn
	case number <= 20:
		return LevelError
	}
	return LevelCritical
}
