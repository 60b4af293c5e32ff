package logexplore

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// DetectedLabel is a label of streams and how many values it has.
type DetectedLabel struct {
	Name        string
	Cardinality int
}

// isID matches values that tell things apart and group nothing: numbers and UUIDs.
var isID = regexp.MustCompile(`^(?:[0-9]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`)

// DetectedLabels lists the labels of the streams that a selector selects, by name. Labels whose values are all numbers or
// UUIDs are left out, as in Loki: nobody chooses by them. Names that Loki keeps to itself are, too.
func (e *Explorer) DetectedLabels(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange) ([]DetectedLabel, error) {
	streams, _, err := e.streams(ctx, tenant, selector, r)
	if err != nil {
		return nil, err
	}
	values := map[string]map[string]struct{}{}
	for i := range streams {
		for _, l := range streams[i].Labels {
			if values[l.Name] == nil {
				values[l.Name] = map[string]struct{}{}
			}
			values[l.Name][l.Value] = struct{}{}
		}
	}
	var list []DetectedLabel
	for name, set := range values {
		if !strings.HasPrefix(name, "__") && !allIDs(set) {
			list = append(list, DetectedLabel{Name: name, Cardinality: len(set)})
		}
	}
	slices.SortFunc(list, func(a, b DetectedLabel) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func allIDs(values map[string]struct{}) bool {
	for v := range values {
		if !isID.MatchString(v) {
			return false
		}
	}
	return true
}
