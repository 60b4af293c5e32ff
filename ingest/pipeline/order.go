package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// ordered wraps a function that makes a map out of a Go map, whose order is another one each time. Sorted, a repeated
// request gives the same rows, byte for byte.
func ordered(f ottl.Factory[tctx]) ottl.Factory[tctx] {
	return ottl.NewFactory(f.Name(), f.CreateDefaultArguments(), func(fc ottl.FunctionContext, args ottl.Arguments) (ottl.ExprFunc[tctx], error) {
		call, err := f.CreateFunction(fc, args)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, t tctx) (any, error) {
			result, err := call(ctx, t)
			if err != nil {
				return nil, err
			}
			switch v := result.(type) {
			case pcommon.Map:
				return sortMap(v, 0)
			case pcommon.Slice:
				return v, sortSlice(v, 0)
			case map[string]any:
				m := pcommon.NewMap()
				if err := m.FromRaw(v); err != nil {
					return nil, err
				}
				return sortMap(m, 0)
			}
			return result, nil
		}, nil
	})
}

// entryOf is one entry of a map.
type entryOf struct {
	key   string
	value pcommon.Value
}

// sortMap returns the map's entries in the order of their keys; m is used up.
func sortMap(m pcommon.Map, depth int) (pcommon.Map, error) {
	if m.Len() > maxFlat {
		return m, fmt.Errorf("the value has more than %d entries", maxFlat)
	}
	if depth > maxDepth {
		return m, errDepth
	}
	entries, sorted := make([]entryOf, 0, m.Len()), true
	for k, v := range m.All() {
		sorted = sorted && (len(entries) == 0 || entries[len(entries)-1].key < k)
		entries = append(entries, entryOf{k, v})
		if err := sortValue(v, depth); err != nil {
			return m, err
		}
	}
	if sorted {
		return m, nil
	}
	slices.SortFunc(entries, func(a, b entryOf) int { return cmp.Compare(a.key, b.key) })
	out := pcommon.NewMap()
	out.EnsureCapacity(len(entries))
	for _, e := range entries {
		e.value.MoveTo(out.PutEmpty(e.key))
	}
	return out, nil
}

func sortSlice(s pcommon.Slice, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	for _, v := range s.All() {
		if err := sortValue(v, depth); err != nil {
			return err
		}
	}
	return nil
}

// sortValue sorts the maps inside a value, in place.
func sortValue(v pcommon.Value, depth int) error {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		sorted, err := sortMap(v.Map(), depth+1)
		if err != nil || sorted == v.Map() {
			return err
		}
		sorted.MoveTo(v.SetEmptyMap())
	case pcommon.ValueTypeSlice:
		return sortSlice(v.Slice(), depth+1)
	}
	return nil
}
