package audit

import (
	"time"

	"github.com/seamarkhq/seamark/ingest/record"
)

// read takes from raw what an event is known by (k8s.io/apiserver/pkg/apis/audit/v1, type Event).
func (e *event) read(raw []byte) error {
	return record.Members(raw, func(key string, value []byte) error {
		switch key {
		case "stageTimestamp":
			e.at = readTime(value)
		case "requestReceivedTimestamp":
			e.received = readTime(value)
		case "sourceIPs":
			return e.readSource(value)
		case "user":
			return members(value, e.userField)
		case "impersonatedUser":
			return members(value, e.impersonatedField)
		case "objectRef":
			return members(value, e.objectField)
		case "responseStatus":
			return members(value, e.statusField)
		case "annotations":
			return members(value, e.annotationField)
		default:
			if to := e.field(key); to != nil {
				*to, _ = record.Unquote(value)
			}
		}
		return nil
	})
}

func (e *event) field(key string) *string {
	switch key {
	case "auditID":
		return &e.id
	case "stage":
		return &e.stage
	case "level":
		return &e.level
	case "verb":
		return &e.verb
	case "requestURI":
		return &e.uri
	case "userAgent":
		return &e.agent
	}
	return nil
}

func (e *event) userField(key string) *string {
	if key == "username" {
		return &e.user
	}
	return nil
}

func (e *event) impersonatedField(key string) *string {
	if key == "username" {
		return &e.impersonated
	}
	return nil
}

func (e *event) objectField(key string) *string {
	switch key {
	case "resource":
		return &e.resource
	case "apiGroup":
		return &e.group
	case "apiVersion":
		return &e.version
	case "subresource":
		return &e.subresource
	case "namespace":
		return &e.namespace
	case "name":
		return &e.name
	}
	return nil
}

func (e *event) statusField(key string) *string {
	if key == "code" {
		return &e.code
	}
	return nil
}

func (e *event) annotationField(key string) *string {
	switch key {
	case "authorization.k8s.io/decision":
		return &e.decision
	case "authorization.k8s.io/reason":
		return &e.reason
	}
	return nil
}

// members reads the wanted texts of an object; what is no object has none.
func members(raw []byte, field func(key string) *string) error {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	return record.Members(raw, func(key string, value []byte) error {
		if to := field(key); to != nil {
			*to, _ = record.Unquote(value)
		}
		return nil
	})
}

// readSource takes the first address, the client's as the API server believes it.
func (e *event) readSource(raw []byte) error {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	return record.Elements(raw, func(value []byte) error {
		if e.source == "" {
			e.source, _ = record.Unquote(value)
		}
		return nil
	})
}

// readTime reads a metav1.MicroTime, zero when it is none.
func readTime(raw []byte) time.Time {
	text, _ := record.Unquote(raw)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
