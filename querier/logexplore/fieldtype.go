package logexplore

import (
	"strconv"

	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// The types of fields, as Loki names them.
const (
	typeString   = "string"
	typeInt      = "int"
	typeFloat    = "float"
	typeBoolean  = "boolean"
	typeDuration = "duration"
	typeBytes    = "bytes"
)

// typeOf returns the narrowest type that all values are of. Every int is a float, too; otherwise values of several types
// are strings.
func typeOf(values []string) string {
	kind := ""
	for _, v := range values {
		is := typeOfValue(v)
		switch {
		case kind == "" || kind == is:
			kind = is
		case kind == typeInt && is == typeFloat || kind == typeFloat && is == typeInt:
			kind = typeFloat
		default:
			return typeString
		}
	}
	if kind == "" {
		return typeString
	}
	return kind
}

func typeOfValue(v string) string {
	if v == "" {
		return typeString
	}
	if v == "true" || v == "false" {
		return typeBoolean
	}
	if c := v[0]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' {
		return typeString // a number or a quantity begins with one; Inf and NaN are words here
	}
	if _, err := strconv.ParseInt(v, 10, 64); err == nil {
		return typeInt
	}
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		return typeFloat
	}
	if _, err := quantity.ParseDuration(v); err == nil {
		return typeDuration
	}
	if _, err := quantity.ParseBytes(v); err == nil {
		return typeBytes
	}
	return typeString
}
