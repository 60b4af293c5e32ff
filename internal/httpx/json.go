package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxDocumentBytes bounds a control-plane document. Without it one request can hold as much memory as it likes.
const maxDocumentBytes = 1 << 20

// WriteJSON answers status with v as JSON. The body is made before the status is written, so a value that cannot be
// encoded is an Internal error and not half an answer.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// ReadBody reads a control-plane body up to 1 MiB; a longer one is TooLarge.
func ReadBody(r *Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxDocumentBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, seamark.Errorf(seamark.TooLarge, "seamark-body-large", "The body is larger than the limit of %d bytes.", maxDocumentBytes)
	}
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Invalid, "seamark-body-short", "The body could not be read to its end.")
	}
	return body, nil
}

// ReadJSON decodes a control-plane body into v. Unknown fields are refused, so that a misspelt field is not lost, and all
// faults are told with their JSON pointers.
func ReadJSON(r *Request, v any) error {
	body, err := ReadBody(r)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if faults := findFaults(body, v); len(faults) > 0 {
			return InvalidFields(faults)
		}
		return seamark.Errorf(seamark.Invalid, "seamark-body-json", "The body is not the JSON document this route takes: %s.", err)
	}
	if dec.More() {
		return seamark.Errorf(seamark.Invalid, "seamark-body-json", "The body has text after its JSON document, at byte %d.", dec.InputOffset())
	}
	return nil
}
