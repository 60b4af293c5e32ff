package client

import (
	"context"
	"iter"
)

// Pages walks over all entries of a list that answers page by page. list makes the call for one page: cursor is nil for the
// first, and next is the next_cursor of the answer, empty after the last page.
//
//	for cluster, err := range client.Pages(ctx, func(ctx context.Context, cursor *string) ([]client.Cluster, string, error) {
//		page, err := c.ListClusters(ctx, &client.ListClustersParams{Cursor: cursor})
//		if err != nil {
//			return nil, "", err
//		}
//		return page.Items, page.NextCursor, nil
//	}) { ... }
func Pages[T any](ctx context.Context, list func(ctx context.Context, cursor *string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var cursor *string
		for {
			items, next, err := list(ctx, cursor)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			cursor = &next
		}
	}
}
