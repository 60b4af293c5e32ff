package lineformat

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"text/template"
)

func numberFunctions() template.FuncMap {
	return template.FuncMap{
		"int": func(v any) int { return int(whole(v)) }, "float64": number,
		"add": func(v ...any) int64 { return foldWhole(0, v, func(a, b int64) int64 { return a + b }) },
		"mul": func(a any, v ...any) int64 { return foldWhole(whole(a), v, func(a, b int64) int64 { return a * b }) },
		"max": func(a any, v ...any) int64 {
			return foldWhole(whole(a), v, func(a, b int64) int64 { return max(a, b) })
		},
		"min": func(a any, v ...any) int64 {
			return foldWhole(whole(a), v, func(a, b int64) int64 { return min(a, b) })
		},
		"sub": func(a, b any) int64 { return whole(a) - whole(b) },
		"div": divide, "mod": modulo,
		"addf": func(v ...any) float64 { return foldNumber(0, v, func(a, b float64) float64 { return a + b }) },
		"mulf": func(a any, v ...any) float64 {
			return foldNumber(number(a), v, func(a, b float64) float64 { return a * b })
		},
		"subf": func(a any, v ...any) float64 {
			return foldNumber(number(a), v, func(a, b float64) float64 { return a - b })
		},
		"maxf":  func(a any, v ...any) float64 { return foldNumber(number(a), v, math.Max) },
		"minf":  func(a any, v ...any) float64 { return foldNumber(number(a), v, math.Min) },
		"divf":  divideNumbers,
		"ceil":  func(v any) float64 { return math.Ceil(number(v)) },
		"floor": func(v any) float64 { return math.Floor(number(v)) },
		"round": round,
	}
}

var errZero = errors.New("division by zero")

func divide(a, b any) (int64, error) {
	if whole(b) == 0 {
		return 0, errZero
	}
	return whole(a) / whole(b), nil
}

func modulo(a, b any) (int64, error) {
	if whole(b) == 0 {
		return 0, errZero
	}
	return whole(a) % whole(b), nil
}

func divideNumbers(a any, v ...any) (float64, error) {
	n := number(a)
	for _, d := range v {
		by := number(d)
		if by == 0 {
			return 0, errZero
		}
		n /= by
	}
	return n, nil
}

// round rounds to a number of digits after the point. A rest of at least on, by default a half, is rounded away from zero.
func round(v any, digits any, on ...float64) float64 {
	least := 0.5
	if len(on) > 0 {
		least = on[0]
	}
	n, power := number(v), math.Pow(10, number(digits))
	below, rest := math.Modf(math.Abs(n) * power)
	if rest >= least {
		below++
	}
	return math.Copysign(below/power, n)
}

func foldWhole(v int64, more []any, fold func(a, b int64) int64) int64 {
	for _, m := range more {
		v = fold(v, whole(m))
	}
	return v
}

func foldNumber(v float64, more []any, fold func(a, b float64) float64) float64 {
	for _, m := range more {
		v = fold(v, number(m))
	}
	return v
}

// whole reads a value as an integer, without the digits behind its point; what is no number is 0.
func whole(v any) int64 {
	if s, ok := v.(string); ok {
		if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
			return n
		}
	} else if r := reflect.ValueOf(v); r.CanInt() {
		return r.Int()
	}
	n := number(v)
	if math.IsNaN(n) || math.Abs(n) >= math.MaxInt64 {
		return 0
	}
	return int64(n)
}

// number reads a value as a floating point number; what is none is 0.
func number(v any) float64 {
	switch v := v.(type) {
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return 0
		}
		return n
	case bool:
		if v {
			return 1
		}
		return 0
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return float64(r.Int())
	case r.CanUint():
		return float64(r.Uint())
	case r.CanFloat():
		return r.Float()
	}
	return 0
}
