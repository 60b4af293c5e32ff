package crud

import (
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/seamarkhq/seamark/api/client"
)

// Server is what the provider's configuration leads to. All resources of one run share it.
type Server struct {
	*client.Client
	locks sync.Map // of *sync.Mutex by what they guard
}

// NewServer returns a Server that is called with c.
func NewServer(c *client.Client) *Server { return &Server{Client: c} }

// Access is one operation's way to the server. It knows which version of the thing Terraform has seen, so that a change that
// somebody else made in between is found and not lost.
type Access struct {
	*client.Client
	server *Server
	meta   client.Meta
	tag    string // the ETag as of the last read; "" when there is none
	made   bool
	warned diag.Diagnostics
}

// Keep has a call's answer tell which version of the thing it is.
func (a *Access) Keep() client.CallOption { return client.Into(&a.meta) }

// IfSame makes a change on the condition that the thing still is as Terraform has read it.
func (a *Access) IfSame() []client.CallOption {
	options := []client.CallOption{a.Keep()}
	if a.tag != "" {
		options = append(options, client.IfMatch(a.tag))
	}
	return options
}

// Made says that the thing exists, though the operation may yet fail: Terraform then keeps it and makes it anew the next time.
func (a *Access) Made() { a.made = true }

// Warn tells the user what is not good and yet no fault.
func (a *Access) Warn(at path.Path, summary, detail string) {
	a.warned.AddAttributeWarning(at, summary, detail)
}

// Lock holds back this run's other operations on a document that several resources are parts of. The result ends it.
func (a *Access) Lock(name string) (unlock func()) {
	lock, _ := a.server.locks.LoadOrStore(name, &sync.Mutex{})
	mu := lock.(*sync.Mutex)
	mu.Lock()
	return mu.Unlock
}
