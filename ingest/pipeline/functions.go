package pipeline

import (
	"fmt"
	"reflect"
	"regexp/syntax"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
)

// tctx is what OTTL's log context hands to functions.
type tctx = *ottllog.TransformContext

// allowed are OTTL's functions that a pipeline may use: each depends on its arguments alone and takes time and memory by
// their size. Left out are those that tell the time or draw numbers (Now, UUID, UUIDv7: a repeated request must give the
// same rows), that run hundreds of patterns per call (UserAgent) or queries without a bound (XML with XPath).
func allowed() []string {
	return []string{
		// Editors.
		"append", "delete_index", "delete_key", "delete_matching_keys", "flatten", "keep_keys", "keep_matching_keys", "limit",
		"merge_maps", "replace_all_matches", "replace_all_patterns", "replace_match", "replace_pattern", "set", "truncate_all",
		// Converters.
		"Base64Encode", "Bool", "Coalesce", "CommunityID", "Concat", "ContainsValue", "ConvertCase", "Day", "Decode", "Double",
		"Duration", "ExtractGrokPatterns", "ExtractPatterns", "FNV", "Format", "FormatTime", "HasPrefix", "HasSuffix", "Hex",
		"Hour", "Hours", "Index", "Int", "IsBool", "IsDouble", "IsEmpty", "IsInCIDR", "IsInt", "IsList", "IsMap", "IsMatch", "IsString",
		"IsValidLuhn", "Keys", "Len", "Log", "MD5", "Microseconds", "Milliseconds", "Minute", "Minutes", "Month", "Murmur3Hash",
		"Murmur3Hash128", "Nanosecond", "Nanoseconds", "ParseCSV", "ParseInt", "ParseJSON", "ParseKeyValue", "ParseSeverity",
		"SHA1", "SHA256", "SHA512", "Second", "Seconds", "SliceToMap", "Sort", "SpanID", "Split", "String", "Substring", "Time",
		"ToCamelCase", "ToKeyValueString", "ToLowerCase", "ToSnakeCase", "ToUpperCase", "TraceID", "Trim", "TrimPrefix",
		"TrimSuffix", "TruncateTime", "URL", "Unix", "UnixMicro", "UnixMilli", "UnixNano", "UnixSeconds", "Values", "Weekday",
		"XXH128", "XXH3", "Year",
	}
}

// argumentCheck looks at one argument of a call while a definition is compiled.
type argumentCheck struct {
	field string // of the function's argument struct
	check func(text string) error
}

// checks are the arguments that must be constant and small: a pattern from a record would be compiled for each record, and
// a replacement from a record grows with the square of its size.
func checks() map[string][]argumentCheck {
	regex, glob := argumentCheck{"Pattern", checkRegex}, argumentCheck{"Pattern", checkReplacement}
	replace := []argumentCheck{{"Replacement", checkReplacement}, {"ReplacementFormat", checkFormat}}
	replaceRegex := append([]argumentCheck{{"RegexPattern", checkRegex}}, replace...)
	replaceGlob := append([]argumentCheck{glob}, replace...)
	return map[string][]argumentCheck{
		"IsMatch": {regex}, "ExtractPatterns": {regex}, "delete_matching_keys": {regex}, "keep_matching_keys": {regex},
		"replace_pattern": replaceRegex, "replace_all_patterns": replaceRegex,
		"replace_match": replaceGlob, "replace_all_matches": replaceGlob,
		"ExtractGrokPatterns": {{"Pattern", checkGrok}, {"PatternDefinitions", checkGrokDefinition}},
		"Format":              {{"Format", checkFormat}},
	}
}

// patternBudget counts the patterns of one tenant's definitions while they are compiled.
type patternBudget struct{ regexes, groks atomic.Int32 }

// charge takes one pattern of a function from the budget.
func (b *patternBudget) charge(function string) error {
	if function == "ExtractGrokPatterns" {
		if b.groks.Add(1) > maxGroks {
			return fmt.Errorf("the pipelines use more than %d grok patterns", maxGroks)
		}
		return nil
	}
	if b.regexes.Add(1) > maxRegexes {
		return fmt.Errorf("the pipelines use more than %d patterns", maxRegexes)
	}
	return nil
}

// functions returns the functions that statements may call.
func functions(budget *patternBudget) map[string]ottl.Factory[tctx] {
	standard, limits := ottlfuncs.StandardFuncs[tctx](), checks()
	all := make(map[string]ottl.Factory[tctx])
	for _, name := range allowed() {
		f, ok := standard[name]
		if !ok {
			continue // TestFunctions tells when a release drops or renames one
		}
		if list := limits[name]; list != nil {
			f = checked(f, list, budget)
		}
		if slices.Contains(unordered(), name) {
			f = ordered(f)
		}
		all[name] = f
	}
	return all
}

// unordered are the functions whose result is in another order each time.
func unordered() []string {
	return []string{"ExtractGrokPatterns", "ParseCSV", "ParseJSON", "ParseKeyValue", "URL"}
}

// checked wraps a function so that a call is refused while it is compiled when an argument breaks its limit.
func checked(f ottl.Factory[tctx], list []argumentCheck, budget *patternBudget) ottl.Factory[tctx] {
	return ottl.NewFactory(f.Name(), f.CreateDefaultArguments(), func(fc ottl.FunctionContext, args ottl.Arguments) (ottl.ExprFunc[tctx], error) {
		if err := budget.charge(f.Name()); err != nil {
			return nil, err
		}
		for _, c := range list {
			texts, err := constants(reflect.ValueOf(args).Elem().FieldByName(c.field), c.field)
			if err != nil {
				return nil, err
			}
			for _, text := range texts {
				if err := c.check(text); err != nil {
					return nil, err
				}
			}
		}
		return f.CreateFunction(fc, args)
	})
}

// constants returns the texts of an argument, none for an optional one that is absent. The argument structs are private to
// OTTL, hence the reflection; it runs once per call in a definition.
func constants(v reflect.Value, field string) ([]string, error) {
	if !v.IsValid() {
		return nil, fmt.Errorf("this release of OTTL has no argument %s", field)
	}
	switch arg := v.Interface().(type) {
	case string:
		return []string{arg}, nil
	case ottl.StringGetter[tctx]:
		return constant(arg, field)
	case ottl.Optional[ottl.StringGetter[tctx]]:
		if arg.IsEmpty() {
			return nil, nil
		}
		return constant(arg.Get(), field)
	case ottl.Optional[[]string]:
		if arg.IsEmpty() {
			return nil, nil
		}
		return arg.Get(), nil
	}
	return nil, fmt.Errorf("this release of OTTL has an argument %s of another type", field)
}

func constant(g ottl.StringGetter[tctx], field string) ([]string, error) {
	text, ok := ottl.GetLiteralValue(g)
	if !ok {
		return nil, fmt.Errorf("the argument %s must be a text in quotes, not a value of the record", field)
	}
	return []string{text}, nil
}

// checkRegex bounds what a pattern costs: RE2 takes time by the length of the text times the size of the program.
func checkRegex(pattern string) error {
	if len(pattern) > maxRegexBytes {
		return fmt.Errorf("the pattern has %d bytes; the limit is %d. Split it into several steps", len(pattern), maxRegexBytes)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return err
	}
	if len(program.Inst) > maxRegexProgram {
		return fmt.Errorf("the pattern needs %d instructions; the limit is %d. Use smaller repetitions", len(program.Inst), maxRegexProgram)
	}
	return nil
}

func checkReplacement(text string) error {
	if len(text) > maxReplacement {
		return fmt.Errorf("the text has %d bytes; the limit is %d", len(text), maxReplacement)
	}
	return nil
}

// checkGrok bounds a grok pattern. It may not repeat a named pattern a counted number of times, because those are large.
func checkGrok(pattern string) error {
	if len(pattern) > maxRegexBytes {
		return fmt.Errorf("the grok pattern has %d bytes; the limit is %d", len(pattern), maxRegexBytes)
	}
	const maxNames = 16
	if n := strings.Count(pattern, "%{"); n > maxNames {
		return fmt.Errorf("the grok pattern uses %d named patterns; the limit is %d", n, maxNames)
	}
	if hasCount(pattern) {
		return fmt.Errorf("a grok pattern may not hold a counted repetition such as {3}")
	}
	return nil
}

// checkGrokDefinition bounds a pattern that a statement defines for its grok pattern: it cannot refer to others, so that a
// few lines cannot multiply.
func checkGrokDefinition(definition string) error {
	_, pattern, _ := strings.Cut(definition, "=")
	if strings.Contains(pattern, "%{") {
		return fmt.Errorf("the grok definition %.40q may not refer to other patterns", definition)
	}
	const maxDefinition = 128
	if len(definition) > maxDefinition {
		return fmt.Errorf("the grok definition has %d bytes; the limit is %d", len(definition), maxDefinition)
	}
	if hasCount(pattern) {
		return fmt.Errorf("a grok definition may not hold a counted repetition such as {3}")
	}
	return checkRegex(pattern)
}

// hasCount reports whether a pattern holds a counted repetition.
func hasCount(pattern string) bool {
	for i := range len(pattern) - 1 {
		if c := pattern[i+1]; pattern[i] == '{' && (c >= '0' && c <= '9' || c == ',') {
			return true
		}
	}
	return false
}

// checkFormat refuses wide fields and widths from arguments.
func checkFormat(format string) error {
	if len(format) > maxReplacement {
		return fmt.Errorf("the format has %d bytes; the limit is %d", len(format), maxReplacement)
	}
	digits, inVerb := 0, false
	for i := range len(format) {
		c := format[i]
		switch {
		case c == '%':
			inVerb, digits = !inVerb, 0
		case !inVerb:
		case c == '*':
			return fmt.Errorf("the format takes a width from an argument; write the width")
		case c >= '0' && c <= '9':
			if digits++; digits > maxFormatDigits {
				return fmt.Errorf("the format has a width of more than %d digits", maxFormatDigits)
			}
		case c != '.' && c != '-' && c != '+' && c != '#' && c != ' ' && c != '[' && c != ']':
			inVerb = false
		default:
			digits = 0
		}
	}
	return nil
}
