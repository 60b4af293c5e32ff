package esbulk

import (
	"bytes"
	"strings"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Action is what a _bulk request wants done with a document.
type Action string

// The actions. Create and Index store a document, which is the same here, for none is ever replaced; the others are refused.
const (
	Create Action = "create"
	Index  Action = "index"
	Update Action = "update"
	Delete Action = "delete"
)

// noRow is the row of an item that was refused before it became one.
const noRow = -1

// Item is one action of a request and what became of it.
type Item struct {
	Action Action
	Index  string
	ID     string // "" when the sender leaves it to us
	Row    int    // number of its row in the batch as it was decoded; -1 when it was refused
	Status int    // as HTTP's: 201, or of its refusal; zero counts as 201
	Reason string // stable id of the refusal, "" for none
	Detail string // a sentence for the sender
	hash   uint64 // of the document, which names it when the sender does not
}

// Refuse makes the item a refused one. The status tells the agent what to do: it drops on 400, takes 409 for stored, and sends
// 429 and 503 again.
func (i *Item) Refuse(status int, reason, detail string) {
	i.Status, i.Reason, i.Detail = status, reason, detail
}

// action reads a line such as {"create":{"_index":"logs","_id":"1"}}. Members that say how to store are of no account
// here (routing, pipeline, _type, require_alias...). Agents write the same line before each document, so the last one is
// remembered. The error is Invalid seamark-bulk-action.
func (s *state) action(line []byte) (Item, error) {
	if s.lastOf != nil && bytes.Equal(line, s.lastOf) {
		return s.last, nil
	}
	item := Item{Index: s.opts.Index, Row: noRow}
	err := record.Members(line, func(key string, value []byte) error {
		switch a := Action(key); a {
		case Create, Index, Update, Delete:
			if item.Action == "" {
				item.Action = a
				return item.readMeta(value)
			}
		}
		return notAction(key)
	})
	if err == nil && item.Action == "" {
		err = notAction("nothing")
	}
	if e, refused := record.Refused(err); refused {
		return item, seamark.Errorf(seamark.Invalid, actionID, "Line %d is no action: %s", s.line, e.Message)
	}
	s.lastOf, s.last = line, item
	return item, nil
}

func notAction(key string) error {
	return seamark.Errorf(seamark.Invalid, actionID, "It names %q, not one of create, index, update and delete.", clip(key))
}

// clip cuts what a sender wrote for a message.
func clip(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// Elasticsearch takes no longer _index and _id.
const (
	maxIndexBytes = 255
	maxIDBytes    = 512
)

func (i *Item) readMeta(meta []byte) error {
	return record.Members(meta, func(key string, value []byte) error {
		var field *string
		most := maxIndexBytes
		switch key {
		case "_index":
			field = &i.Index
		case "_id":
			field, most = &i.ID, maxIDBytes
		default:
			return nil
		}
		if string(value) == "null" {
			return nil
		}
		text, ok := record.Unquote(value)
		if !ok || len(text) > most {
			return seamark.Errorf(seamark.Invalid, actionID, "The %s of an action must be a string of at most %d bytes.", key, most)
		}
		*field = text
		return nil
	})
}
