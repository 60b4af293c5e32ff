package ctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/api/client"
)

// perform calls a command's operation and shows its answer.
func (r *run) perform(c *command, words []string, f flags) error {
	op, err := c.describe()
	if err != nil {
		return err
	}
	params, err := paramsOf(c, op, words, f)
	if err != nil {
		return err
	}
	body, err := r.bodyOf(c, op, f)
	if err != nil {
		return err
	}
	if err := f.rest(c.noun + " " + c.verb); err != nil {
		return err
	}
	api, err := r.dial(isAnonymous(op.ID))
	if err != nil {
		return err
	}
	if hasParam(op, "cursor") && !c.long && len(params["cursor"]) == 0 && len(params["limit"]) == 0 {
		return r.performAll(api, c, op, params)
	}
	stream, err := api.Call(r.ctx, op, params, body)
	if err != nil {
		return err
	}
	return r.show(c, stream)
}

// isAnonymous reports whether an operation is for who has no credential yet.
func isAnonymous(operation string) bool {
	return slices.Contains([]string{"createSession", "refreshSession", "listProviders", "acceptInvitation", "findInvitationOffer", "resetPassword"}, operation)
}

func hasParam(op *client.Operation, name string) bool {
	return slices.ContainsFunc(op.Params, func(p client.Param) bool { return p.Name == name })
}

// flagOf returns the flag of a parameter: start_time is --start-time, and match[] is --match.
func flagOf(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(name, "[]"), "_", "-"))
}

// paramsOf takes the parameters of path, query and header from words and flags.
func paramsOf(c *command, op *client.Operation, words []string, f flags) (map[string][]string, error) {
	params := map[string][]string{}
	for _, p := range op.Params {
		if p.In == "path" {
			if len(words) == 0 {
				return nil, usagef("%s %s needs the argument %s", c.noun, c.verb, strings.ToUpper(p.Name))
			}
			params[p.Name], words = words[:1], words[1:]
			continue
		}
		values := f[flagOf(p.Name)]
		delete(f, flagOf(p.Name))
		if len(values) > 1 && p.Type != "array" {
			return nil, usagef("the flag --%s stands there %d times", flagOf(p.Name), len(values))
		}
		if p.Required && len(values) == 0 {
			return nil, usagef("%s %s needs the flag --%s", c.noun, c.verb, flagOf(p.Name))
		}
		for _, value := range values {
			if len(p.Enum) > 0 && !slices.Contains(p.Enum, value) {
				return nil, usagef("--%s is one of %s", flagOf(p.Name), strings.Join(p.Enum, ", "))
			}
		}
		if len(values) > 0 {
			params[p.Name] = values
		}
	}
	if len(words) > 0 {
		return nil, usagef("%s %s does not take %q", c.noun, c.verb, words[0])
	}
	return params, nil
}

// bodyOf makes the body: the document of --file, over which the flags of single fields win.
func (r *run) bodyOf(c *command, op *client.Operation, f flags) (client.Body, error) {
	path, given, err := f.take("file")
	if err != nil || len(op.Body) == 0 && !given {
		return client.Body{}, err
	}
	if len(op.Body) == 0 {
		return client.Body{}, usagef("%s %s takes no --file", c.noun, c.verb)
	}
	var text []byte
	if given {
		if text, err = r.read(path); err != nil {
			return client.Body{}, err
		}
	}
	if media := first(c.media, rawMedia(op)); media != "" {
		if !given {
			return client.Body{}, usagef("%s %s needs --file", c.noun, c.verb)
		}
		return client.Body{ContentType: media, Reader: bytes.NewReader(text)}, nil
	}
	document, err := documentOf(c, op, text, f)
	if err != nil {
		return client.Body{}, err
	}
	encoded, err := json.Marshal(document)
	return client.Body{ContentType: "application/json", Reader: bytes.NewReader(encoded)}, err
}

// rawMedia returns the media type of bodies that are sent as they are; "" for JSON.
func rawMedia(op *client.Operation) string {
	if slices.Contains(op.Body, "application/json") {
		return ""
	}
	return op.Body[0]
}

// read reads a file; "-" is the standard input.
func (r *run) read(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(r.In)
	}
	return os.ReadFile(path)
}

// documentOf makes a JSON body from a document in YAML or JSON, and from flags.
func documentOf(c *command, op *client.Operation, text []byte, f flags) (any, error) {
	var document any = newObject()
	if text != nil {
		parsed, err := parseYAML(text)
		if err != nil {
			return nil, usagef("--file: %s", err)
		}
		document = parsed
	}
	body, isObject := document.(*object)
	if !isObject {
		return document, nil
	}
	for _, name := range c.drop {
		body.remove(name)
	}
	for _, field := range op.Fields {
		values, given := f[flagOf(field.Name)]
		if !given {
			continue
		}
		delete(f, flagOf(field.Name))
		value, err := fieldValue(&field, values)
		if err != nil {
			return nil, err
		}
		body.set(field.Name, value)
	}
	return body, missing(c, op, body)
}

// missing names the fields that a body needs and does not have, before the server does.
func missing(c *command, op *client.Operation, body *object) error {
	if !op.BodyRequired {
		return nil
	}
	var names []string
	for _, field := range op.Fields {
		if _, has := body.values[field.Name]; field.Required && !has {
			names = append(names, "--"+flagOf(field.Name))
		}
	}
	if len(names) > 0 {
		return usagef("%s %s needs %s, or a document with --file", c.noun, c.verb, strings.Join(names, ", "))
	}
	return nil
}

// fieldValue reads the flag of a field as the field's type.
func fieldValue(field *client.Param, values []string) (any, error) {
	name := flagOf(field.Name)
	if field.Type == "array" {
		list := []any{}
		for _, value := range values {
			for part := range strings.SplitSeq(value, ",") {
				item, err := scalarValue(name, field.Items, part)
				if err != nil {
					return nil, err
				}
				list = append(list, item)
			}
		}
		return list, nil
	}
	if len(values) > 1 {
		return nil, usagef("the flag --%s stands there %d times", name, len(values))
	}
	if len(field.Enum) > 0 && !slices.Contains(field.Enum, values[0]) {
		return nil, usagef("--%s is one of %s", name, strings.Join(field.Enum, ", "))
	}
	return scalarValue(name, field.Type, values[0])
}

func scalarValue(name, kind, text string) (any, error) {
	switch kind {
	case "integer", "number":
		if !json.Valid([]byte(text)) || strings.ContainsAny(text[:1], `"[{tfn`) {
			return nil, usagef("--%s is %q, and must be a number", name, text)
		}
		return json.Number(text), nil
	case "boolean":
		if text != "true" && text != "false" {
			return nil, usagef("--%s is true or false", name)
		}
		return text == "true", nil
	case "string":
		return text, nil
	}
	value, err := parseYAML([]byte(text)) // an object, or one of several types
	if err != nil {
		return nil, usagef("--%s is no YAML: %s", name, err)
	}
	return value, nil
}

// performAll lists every page and shows them as one list.
func (r *run) performAll(api *client.Client, c *command, op *client.Operation, params map[string][]string) error {
	var whole *object
	var items []any
	for {
		stream, err := api.Call(r.ctx, op, params, client.Body{})
		if err != nil {
			return err
		}
		page, err := readPage(stream)
		if err != nil {
			return err
		}
		part, isList := page.values["items"].([]any)
		if !isList {
			return r.showValue(c, page)
		}
		items = append(items, part...)
		whole = page
		next, more := page.values["next_cursor"].(string)
		if !more || next == "" {
			break
		}
		params["cursor"] = []string{next}
		params["limit"] = nil
	}
	whole.remove("next_cursor")
	whole.set("items", append([]any{}, items...))
	return r.showValue(c, whole)
}

func readPage(stream *client.Stream) (*object, error) {
	text, err := readAll(stream)
	if err != nil {
		return nil, err
	}
	value, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	page, ok := value.(*object)
	if !ok {
		return nil, fmt.Errorf("the answer is no object: %.100s", text)
	}
	return page, nil
}
