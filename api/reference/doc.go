// Package reference serves the API's reference at /docs: openapi.yaml and the list of errors, which are embedded, as plain
// HTML without a script or anything from outside. The copies beside this file are made by `make generate`. Package app
// mounts it beside the console.
package reference
