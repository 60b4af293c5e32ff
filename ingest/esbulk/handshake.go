package esbulk

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/ingest/record"
)

// DefaultVersion is the version that is claimed. Filebeat refuses a server that is older than itself, unless it has
// allow_older_versions; a major version that an agent does not know can make it use an API that is not here.
const DefaultVersion = "8.19.0"

// HandshakeOptions configures a Handshake.
type HandshakeOptions struct {
	// Version is claimed as version.number; "" means DefaultVersion.
	Version string
	// ClusterName is shown as cluster_name; "" means seamark.
	ClusterName string
}

func (o *HandshakeOptions) validate() error {
	parts := strings.Split(o.Version, ".")
	if len(parts) != 3 {
		return fmt.Errorf("esbulk: Version %q must be three numbers with dots", o.Version)
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || i == 0 && n < 8 {
			return fmt.Errorf("esbulk: Version %q must be three numbers with dots, the first at least 8: agents of today refuse older servers", o.Version)
		}
	}
	return nil
}

// Handshake answers what agents ask before they send and between.
type Handshake struct {
	root, cluster string
}

// NewHandshake makes a Handshake.
func NewHandshake(o HandshakeOptions) (*Handshake, error) {
	if o.Version == "" {
		o.Version = DefaultVersion
	}
	if o.ClusterName == "" {
		o.ClusterName = "seamark"
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	cluster := string(record.AppendQuoted(nil, o.ClusterName))
	return &Handshake{
		cluster: cluster,
		root: `{"name":` + cluster + `,"cluster_name":` + cluster + `,"cluster_uuid":"seamark0000000000000000","version":{"number":"` + o.Version +
			`","build_flavor":"default","build_type":"docker","build_hash":"unknown","build_date":"2025-01-01T00:00:00.000Z","build_snapshot":false,` +
			`"lucene_version":"9.12.1","minimum_wire_compatibility_version":"7.17.0","minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"}`,
	}, nil
}

// license is what Filebeat (type at least basic, status active) and Logstash (status active) want.
const license = `{"license":{"status":"active","uid":"00000000-0000-0000-0000-000000000000","type":"basic","issue_date":"2025-01-01T00:00:00.000Z",` +
	`"issue_date_in_millis":1735689600000,"max_nodes":1000,"max_resource_units":null,"issued_to":"seamark","issuer":"elasticsearch","start_date_in_millis":-1}}`

// xpack tells Filebeat 7 that there is life-cycle management, without which it does not start in its usual setting, and
// Logstash that there is neither its monitoring nor its central management.
const xpack = `{"build":{"hash":"unknown","date":"2025-01-01T00:00:00.000Z"},"license":{"uid":"00000000-0000-0000-0000-000000000000","type":"basic","mode":"basic","status":"active"},` +
	`"features":{"ilm":{"available":true,"enabled":true},"logstash":{"available":false,"enabled":true},"monitoring":{"available":false,"enabled":true},"security":{"available":true,"enabled":true}},` +
	`"tagline":"You know, for X"}`

// acknowledged answers what is put: it is agreed to and has no effect, because there is nothing to set up.
const acknowledged = `{"acknowledged":true}`

// Reply answers a request of the handshake; ok is false when the path is none of its, or the method is wrong there. The
// path is without a query, as it came (escaped). A HEAD has no body.
//
// What an agent would set up (policies, templates, pipelines, data streams) exists whatever its name is, so that it has
// nothing to do; when it is told to overwrite, it is told that it was done. A pipeline is never run: documents are stored as they come.
//
//	GET, HEAD /                                       all: version and product
//	GET /_license                                     Filebeat, Logstash
//	GET /_xpack                                       Filebeat 7, Logstash
//	GET /_cluster/health                              Vector
//	GET /_nodes, /_nodes/http, /_nodes/ingest         sniffing, Filebeat's modules; no nodes, so that agents keep their URL
//	GET /_ilm/policy                                  Logstash: whether there is life-cycle management
//	/_ilm/policy/*, /_template/*, /_index_template/*, /_component_template/*, /_data_stream/*, /_ingest/pipeline/*
//	GET /_cat/templates/*                             Filebeat 7
//	GET, HEAD /_alias/*                               Filebeat 7: none, so that it puts the index below
//	GET /_logstash/pipeline, /_logstash/pipeline/*    Logstash's central management: none
//	HEAD, PUT /<index>                                Logstash's and Filebeat 7's rollover alias
func (h *Handshake) Reply(method, path string) (status int, body []byte, ok bool) {
	if method == http.MethodHead {
		status, _, ok = h.Reply(http.MethodGet, path)
		if name, single := indexOf(path); single && name != "" {
			return http.StatusOK, nil, true
		}
		return status, nil, ok
	}
	path = strings.Trim(path, "/")
	if method == http.MethodGet {
		if text, found := h.fixed(path); found {
			return http.StatusOK, []byte(text), true
		}
	}
	if kind, name, found := managed(path); found {
		return manage(method, kind, name)
	}
	if name, single := indexOf(path); single && name != "" && method == http.MethodPut {
		return http.StatusOK, []byte(`{"acknowledged":true,"shards_acknowledged":true,"index":` + quoted(name) + `}`), true
	}
	return 0, nil, false
}

// fixed returns the bodies that are the same for everybody.
func (h *Handshake) fixed(path string) (body string, found bool) {
	switch path {
	case "":
		return h.root, true
	case "_license":
		return license, true
	case "_xpack":
		return xpack, true
	case "_cluster/health":
		return `{"cluster_name":` + h.cluster + `,"status":"green","timed_out":false,"number_of_nodes":1,"number_of_data_nodes":1,"active_primary_shards":0,"active_shards":0,` +
			`"relocating_shards":0,"initializing_shards":0,"unassigned_shards":0,"number_of_pending_tasks":0}`, true
	case "_nodes", "_nodes/http", "_nodes/ingest":
		return `{"_nodes":{"total":0,"successful":0,"failed":0},"cluster_name":` + h.cluster + `,"nodes":{}}`, true
	case "_logstash/pipeline", "_ilm/policy":
		return `{}`, true
	}
	return "", false
}

// kinds are the collections in which an agent sets something up.
var kinds = [...]string{
	"_ilm/policy", "_template", "_index_template", "_component_template", "_data_stream", "_ingest/pipeline",
	"_cat/templates", "_alias", "_logstash/pipeline",
}

// managed divides a path into its collection and a name.
func managed(path string) (kind, name string, found bool) {
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(path, k+"/"); ok && rest != "" && !strings.Contains(rest, "/") {
			return k, unescaped(rest), true
		}
	}
	if rest, ok := strings.CutPrefix(path, "_data_stream/"); ok && strings.HasSuffix(rest, "/_lifecycle") && strings.Count(rest, "/") == 1 {
		return "_data_stream", unescaped(strings.TrimSuffix(rest, "/_lifecycle")), true
	}
	return "", "", false
}

func manage(method, kind, name string) (status int, body []byte, ok bool) {
	switch method {
	case http.MethodGet:
		return exists(kind, name)
	case http.MethodPut, http.MethodPost:
		if kind == "_cat/templates" || kind == "_alias" || kind == "_logstash/pipeline" {
			return 0, nil, false
		}
		return http.StatusOK, []byte(acknowledged), true
	}
	return 0, nil, false
}

// exists describes what is there under every name, in the least form that its readers take.
func exists(kind, name string) (status int, body []byte, ok bool) {
	text, status := "", http.StatusOK
	switch n := quoted(name); kind {
	case "_ilm/policy":
		text = `{` + n + `:{"version":1,"modified_date":"2025-01-01T00:00:00.000Z","policy":{"phases":{}},"in_use_by":{"indices":[],"data_streams":[],"composable_templates":[]}}}`
	case "_template":
		text = `{` + n + `:{"order":0,"index_patterns":[],"settings":{},"mappings":{},"aliases":{}}}`
	case "_index_template":
		text = `{"index_templates":[{"name":` + n + `,"index_template":{"index_patterns":[],"composed_of":[],"data_stream":{}}}]}`
	case "_component_template":
		text = `{"component_templates":[{"name":` + n + `,"component_template":{"template":{}}}]}`
	case "_data_stream":
		text = `{"data_streams":[{"name":` + n + `,"timestamp_field":{"name":"@timestamp"},"indices":[],"generation":1,"status":"GREEN","template":` + n + `}]}`
	case "_ingest/pipeline":
		text = `{` + n + `:{"processors":[]}}`
	case "_cat/templates":
		text = name + " [] 0  []\n"
	case "_alias":
		return http.StatusNotFound, []byte(`{"error":"alias missing","status":404}`), true
	case "_logstash/pipeline":
		text, status = `{}`, http.StatusNotFound
	}
	return status, []byte(text), true
}

// indexOf returns the name of the index that a path of one segment is; names with a leading underscore are the API's own.
func indexOf(path string) (name string, single bool) {
	path = strings.Trim(path, "/")
	if path == "" || path[0] == '_' || strings.Contains(path, "/") {
		return "", false
	}
	return unescaped(path), true
}

func unescaped(segment string) string {
	if text, err := url.PathUnescape(segment); err == nil {
		return text
	}
	return segment
}

func quoted(text string) string { return string(record.AppendQuoted(nil, text)) }
