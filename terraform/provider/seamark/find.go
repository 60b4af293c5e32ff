package seamark

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seamarkhq/seamark/api/client"
)

// pageLimit asks for as many entries of a list at once as the API gives.
const pageLimit = 1000

// absent is the error of what a list does not have.
func absent(format string, args ...any) error {
	return &client.Error{Status: http.StatusNotFound, Title: http.StatusText(http.StatusNotFound), Detail: fmt.Sprintf(format, args...)}
}

// first returns the first entry of a list that fits, and absent when none does.
func first[T any](ctx context.Context, what string, list func(ctx context.Context, cursor *string) ([]T, string, error), fits func(*T) bool) (*T, error) {
	for entry, err := range client.Pages(ctx, list) {
		if err != nil {
			return nil, err
		}
		if fits(&entry) {
			return &entry, nil
		}
	}
	return nil, absent("There is no %s, or it is another tenant's.", what)
}

// asInvalid reports whether err says that what was sent is not valid, and returns it.
func asInvalid(err error, to **client.Error) bool {
	return errors.As(err, to) && (*to).Status == http.StatusBadRequest
}
