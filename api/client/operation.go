package client

// Operation describes one operation of openapi.yaml, for programs that offer all of them.
type Operation struct {
	ID      string // the operationId
	Method  string
	Path    string // with {name} for each parameter in it
	Summary string
	Tags    []string
	Params  []Param
	// Body and Answer are media types: of the request's body, and of answers that say the call was a success.
	Body, Answer []string
	BodyRequired bool
}

// Param is one parameter of an Operation.
type Param struct {
	Name        string
	In          string // path, query or header
	Type        string // string, integer, number, boolean or array, whose members are strings
	Required    bool
	Enum        []string // the values that are taken; empty when any is
	Description string
}
