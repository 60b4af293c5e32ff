package store

import (
	"encoding/hex"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// logSQL builds a statement of which every value is a bound parameter: the text depends on the shape of a query alone.
type logSQL struct {
	strings.Builder
	params clickhouse.Parameters
}

func newLogSQL() *logSQL { return &logSQL{params: clickhouse.Parameters{}} }

// bind adds a parameter and returns its place in the statement.
func (b *logSQL) bind(kind, value string) string {
	name := "p" + strconv.Itoa(len(b.params))
	b.params[name] = value
	return "{" + name + ":" + kind + "}"
}

// paramEscaper escapes a parameter as the server reads it: as one field of its tab-separated format.
var paramEscaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// elementEscaper escapes a text inside quotes inside an array, which the server unescapes once.
var elementEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

func (b *logSQL) string(v string) string { return b.bind("String", paramEscaper.Replace(v)) }

func (b *logSQL) int64(v int64) string { return b.bind("Int64", strconv.FormatInt(v, 10)) }

func (b *logSQL) strings(list []string) string {
	var v strings.Builder
	v.WriteByte('[')
	for i, s := range list {
		if i > 0 {
			v.WriteByte(',')
		}
		v.WriteByte('\'')
		_, _ = elementEscaper.WriteString(&v, s) // a strings.Builder never fails
		v.WriteByte('\'')
	}
	v.WriteByte(']')
	return b.bind("Array(String)", v.String())
}

func (b *logSQL) uint64s(list []uint64) string {
	v := make([]byte, 0, 2+21*len(list))
	v = append(v, '[')
	for i, n := range list {
		if i > 0 {
			v = append(v, ',')
		}
		v = strconv.AppendUint(v, n, 10)
	}
	return b.bind("Array(UInt64)", string(append(v, ']')))
}

func (b *logSQL) uint16s(list []uint16) string {
	v := make([]byte, 0, 2+6*len(list))
	v = append(v, '[')
	for i, n := range list {
		if i > 0 {
			v = append(v, ',')
		}
		v = strconv.AppendUint(v, uint64(n), 10)
	}
	return b.bind("Array(UInt16)", string(append(v, ']')))
}

func (b *logSQL) uint32s(list []uint32) string {
	v := make([]byte, 0, 2+11*len(list))
	v = append(v, '[')
	for i, n := range list {
		if i > 0 {
			v = append(v, ',')
		}
		v = strconv.AppendUint(v, uint64(n), 10)
	}
	return b.bind("Array(UInt32)", string(append(v, ']')))
}

// logRowsSQL selects rows.
func logRowsSQL(q *LogRowsQuery) (string, clickhouse.Parameters) {
	b := newLogSQL()
	b.WriteString("SELECT toUnixTimestamp64Nano(ts) AS t, fp")
	for _, c := range []struct {
		wanted bool
		names  string
	}{{q.Columns.Body, ", body"}, {q.Columns.Level, ", level"}, {q.Columns.Trace, ", trace_id, span_id"}, {q.Columns.Attrs, ", attrs"}} {
		if c.wanted {
			b.WriteString(c.names)
		}
	}
	b.WriteString("\nFROM logs\n")
	b.where(&q.LogScope)
	switch q.Order {
	case NewestFirst:
		b.WriteString("\nORDER BY ts DESC")
	case OldestFirst:
		b.WriteString("\nORDER BY ts")
	case AnyOrder:
	}
	if q.Limit > 0 {
		b.WriteString("\nLIMIT " + b.int64(int64(q.Limit)))
	}
	return b.String(), b.params
}

// where writes the conditions in the order that prunes best: the sort key first.
func (b *logSQL) where(scope *LogScope) { b.whereGroups(scope, true) }

// whereGroups is where, but without byStream rows of all streams of the groups come through.
func (b *logSQL) whereGroups(scope *LogScope, byStream bool) {
	b.WriteString("WHERE grp IN " + b.strings(scope.groups()))
	// The partition key is toDate(ts), whose parts keep the least and largest ts: this range prunes them without a second
	// condition on the date.
	b.WriteString("\n  AND ts >= fromUnixTimestamp64Nano(" + b.int64(scope.Start) + ", 'UTC')")
	b.WriteString(" AND ts < fromUnixTimestamp64Nano(" + b.int64(scope.End) + ", 'UTC')")
	if scope.Narrowed && scope.narrows() {
		b.ranges(scope)
	}
	if byStream {
		b.WriteString("\n  AND fp IN " + b.uint64s(scope.fingerprints()))
	}
	for i := range scope.Filters {
		b.WriteString("\n  AND " + b.filter(&scope.Filters[i]))
	}
}

// fingerprints returns those of the streams that can have rows in the scope, sorted.
func (s *LogScope) fingerprints() []uint64 {
	groups := s.groups()
	fps := make([]uint64, 0, len(s.Streams))
	for i := range s.Streams {
		if _, ok := slices.BinarySearch(groups, s.Streams[i].Group); ok {
			fps = append(fps, s.Streams[i].FP)
		}
	}
	slices.Sort(fps)
	return fps
}

// filter returns the condition of f.
func (b *logSQL) filter(f *LogFilter) string {
	conditions := make([]string, 0, len(f.Texts))
	for _, text := range f.Texts {
		conditions = append(conditions, b.condition(f, text))
	}
	condition := strings.Join(conditions, " OR ")
	if len(conditions) == 0 {
		condition = "0"
	}
	if f.Not {
		return "NOT (" + condition + ")"
	}
	if len(conditions) > 1 {
		return "(" + condition + ")"
	}
	return condition
}

func (b *logSQL) condition(f *LogFilter, text string) string {
	if f.Op == LogEquals && f.Field == LogTraceID {
		// The column as it is stored, so that its bloom filter is asked.
		if id, err := hex.DecodeString(text); err == nil && len(id) == 16 && text == strings.ToLower(text) {
			return "trace_id = unhex(" + b.string(text) + ")"
		}
	}
	if f.Op == LogJSONField {
		return b.jsonField(f, text)
	}
	field := b.field(f.Field, f.Attr)
	switch f.Op {
	case LogContains:
		return field + " LIKE " + b.string(likePattern(text))
	case LogEquals:
		return field + " = " + b.string(text)
	case LogMatches:
		return "match(" + field + ", " + b.string(wholeRegexp(text)) + ")"
	case LogSearch, LogJSONField:
	}
	return b.search(field, text)
}

// jsonField tells lines whose number under a key does not satisfy a comparison from all others. It looks for the key as a text, which
// is a sixth of the price of parsing the line, and judges a line only if nothing about it is in doubt: the key stands in it
// once, nothing is escaped, and an integer follows, which the server and Go read alike.
func (b *logSQL) jsonField(f *LogFilter, number string) string {
	operator, ok := map[string]string{"==": "=", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}[f.Compare]
	if !ok {
		return "1"
	}
	key := b.string(f.Attr)
	return "NOT (countSubstrings(body, concat('\"', " + key + ", '\"')) = 1 AND position(body, '\\\\') = 0 AND ifNull(toFloat64(toInt64OrNull(simpleJSONExtractRaw(body, " + key + "))) " +
		operator + " " + b.bind("Float64", number) + ", 1) = 0)"
}

// search matches a regular expression anywhere. match() costs three times a LIKE, so a literal that every match must have
// is asked for first, and an expression that is nothing but literals needs no match at all.
func (b *logSQL) search(field, expr string) string {
	literals, exact := requiredLiterals(expr)
	likes := make([]string, 0, len(literals))
	for _, text := range literals {
		likes = append(likes, field+" LIKE "+b.string(likePattern(text)))
	}
	some := strings.Join(likes, " OR ")
	if len(likes) > 1 {
		some = "(" + some + ")"
	}
	if exact {
		return some
	}
	match := "match(" + field + ", " + b.string("(?s:"+expr+")") + ")"
	if some == "" {
		return match
	}
	return "(" + some + " AND " + match + ")"
}

// field returns the text that filters and splits see.
func (b *logSQL) field(f LogField, attr string) string {
	switch f {
	case LogLevel:
		return "if(level = 'unknown', '', level)"
	case LogTraceID:
		return "if(trace_id = toFixedString('', 16), '', lower(hex(trace_id)))"
	case LogSpanID:
		return "if(span_id = toFixedString('', 8), '', lower(hex(span_id)))"
	case LogAttr:
		return "attrs[" + b.string(attr) + "]"
	case LogBody:
	}
	return "body"
}

// wholeRegexp anchors an expression at both ends. The dot does not match line breaks, as in Prometheus' and Loki's label
// matchers; ClickHouse would let it.
func wholeRegexp(expr string) string { return "^(?-s:" + expr + ")$" }

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func likePattern(text string) string { return "%" + likeEscaper.Replace(text) + "%" }

// maxLiterals bounds the alternatives that become LIKEs: above it one match is cheaper than many passes over the line.
const maxLiterals = 8

// minLiteral is the shortest literal worth asking for: shorter ones stand in almost every line.
const minLiteral = 3

// requiredLiterals returns texts of which every match of expr has at least one; none when it cannot tell. exact says
// that a line with one of them matches, too.
func requiredLiterals(expr string) (literals []string, exact bool) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, false
	}
	literals, exact = literalsOf(tree)
	if exact {
		return literals, true
	}
	for _, l := range literals {
		if len(l) < minLiteral {
			return nil, false
		}
	}
	return literals, false
}

func literalsOf(re *syntax.Regexp) (literals []string, exact bool) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return nil, false
		}
		return []string{string(re.Rune)}, true
	case syntax.OpCapture:
		return literalsOf(re.Sub[0])
	case syntax.OpPlus:
		literals, _ = literalsOf(re.Sub[0])
		return literals, false
	case syntax.OpRepeat:
		if re.Min == 0 {
			return nil, false
		}
		literals, _ = literalsOf(re.Sub[0])
		return literals, false
	case syntax.OpConcat:
		return bestOf(re.Sub), false
	case syntax.OpAlternate:
		return allOf(re.Sub)
	}
	return nil, false
}

// bestOf returns the literals of the part of a concatenation whose shortest one is longest.
func bestOf(parts []*syntax.Regexp) []string {
	var best []string
	length := 0
	for _, part := range parts {
		literals, _ := literalsOf(part)
		if len(literals) == 0 {
			continue
		}
		shortest := len(slices.MinFunc(literals, func(a, b string) int { return len(a) - len(b) }))
		if shortest > length {
			best, length = literals, shortest
		}
	}
	return best
}

// allOf returns the literals of all alternatives, or none if one of them has none.
func allOf(alternatives []*syntax.Regexp) (all []string, exact bool) {
	exact = true
	for _, a := range alternatives {
		literals, whole := literalsOf(a)
		if len(literals) == 0 || len(all)+len(literals) > maxLiterals {
			return nil, false
		}
		exact = exact && whole
		all = append(all, literals...)
	}
	return all, exact
}
