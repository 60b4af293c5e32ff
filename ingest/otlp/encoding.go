package otlp

import (
	"mime"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Encoding is one of the two encodings of OTLP/HTTP. The answer is always written in the encoding of the request.
type Encoding uint8

// The encodings.
const (
	Protobuf Encoding = iota
	JSON
)

// ContentType returns the media type that stands in the Content-Type header.
func (e Encoding) ContentType() string {
	if e == JSON {
		return "application/json"
	}
	return "application/x-protobuf"
}

// ParseEncoding returns the encoding that a Content-Type header names. Its error is of kind Unsupported.
func ParseEncoding(contentType string) (Encoding, error) {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && media == "application/x-protobuf":
		return Protobuf, nil
	case err == nil && media == "application/json":
		return JSON, nil
	}
	return Protobuf, seamark.Errorf(seamark.Unsupported, "seamark-media-unsupported",
		"The Content-Type %.64q is not one of OTLP; send application/x-protobuf or application/json.", contentType)
}
