package engine

import (
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
)

// labelReplace evaluates label_replace, with the meaning that it has in PromQL.
func labelReplace(r *logql.LabelReplace, m matrix) (matrix, error) {
	re, err := wholeMatch(r.Pattern)
	if err != nil {
		return nil, err
	}
	index := map[string]*series{}
	out := m[:0]
	for _, s := range m {
		source := labelOf(s.labels, r.Source)
		if at := re.FindStringSubmatchIndex(source); at != nil {
			s.labels = withLabel(s.labels, r.Target, string(re.ExpandString(nil, r.Replacement, source, at)))
		}
		key := string(appendKey(nil, s.labels))
		same := index[key]
		if same == nil {
			index[key] = s
			out = append(out, s)
			continue
		}
		for k, has := range s.has {
			if has && same.has[k] {
				return nil, seamark.Errorf(seamark.Unprocessable, "seamark-logql-replace",
					"%s gives several series the labels %s. Make the replacement tell them apart, or aggregate them first.", r, formatLabels(s.labels))
			}
			if has {
				same.set(k, s.values[k])
			}
		}
	}
	return out.trim(), nil
}

func labelOf(labels []seamark.Label, name string) string {
	for _, l := range labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// withLabel returns labels with one set; the empty value removes it.
func withLabel(labels []seamark.Label, name, value string) []seamark.Label {
	labels = slices.DeleteFunc(slices.Clone(labels), func(l seamark.Label) bool { return l.Name == name })
	if value != "" {
		labels = append(labels, seamark.Label{Name: name, Value: value})
		seamark.SortLabels(labels)
	}
	return labels
}
