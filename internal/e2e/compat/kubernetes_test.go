package compat

import (
	"context"
	"errors"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/audit"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/plugin/pkg/audit/webhook"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func kubernetes() []client {
	return []client{{
		protocol: "Kubernetes audit", name: "API server, audit webhook backend", modules: []string{"k8s.io/apiserver"},
		checks: []check{{"two events of a kubeconfig file's webhook with bearer token; the batch repeated is stored once", checkAudit}},
	}}
}

func checkAudit(ctx context.Context, x *account) error {
	dir, err := os.MkdirTemp("", "seamark-audit-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := dir + "/kubeconfig"
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"seamark": {Server: x.URL + "/api/v1/push/audit", CertificateAuthority: authority.certificate}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"seamark": {Token: x.Ingest}},
		Contexts:       map[string]*clientcmdapi.Context{"seamark": {Cluster: "seamark", AuthInfo: "seamark"}},
		CurrentContext: "seamark",
	}
	if err := clientcmd.WriteToFile(config, file); err != nil {
		return err
	}
	backend, err := webhook.NewBackend(file, auditv1.SchemeGroupVersion, wait.Backoff{Duration: time.Second, Factor: 1, Steps: 1}, nil)
	if err != nil {
		return err
	}
	at := time.Now().Truncate(time.Microsecond)
	later := at.Add(time.Millisecond)
	event := func(at time.Time, id, verb string, code int32) *audit.Event {
		e := &audit.Event{
			Level: audit.LevelMetadata, AuditID: types.UID(id), Stage: audit.StageResponseComplete, RequestURI: "/api/v1/namespaces/shop/secrets/key",
			Verb: verb, SourceIPs: []string{"10.0.0.7"}, UserAgent: "kubectl", RequestReceivedTimestamp: metav1.NewMicroTime(at),
			StageTimestamp: metav1.NewMicroTime(at), ObjectRef: &audit.ObjectReference{Resource: "secrets", Namespace: "shop", Name: "key", APIVersion: "v1"},
			ResponseStatus: &metav1.Status{Code: code},
		}
		e.User.Username = "jane"
		return e
	}
	for range 2 {
		if !backend.ProcessEvents(event(at, "id-1", "get", 200), event(later, "id-2", "delete", 403)) {
			return errors.New("the backend could not deliver its events")
		}
	}
	labels := map[string]string{"cluster": clusterName, "namespace": "shop", "user_username": "jane", "objectRef_resource": "secrets"}
	return x.wantLines(ctx, `{signal="audit"} | json`, []line{
		{at.UnixNano(), "", with(labels, map[string]string{"verb": "get", "responseStatus_code": "200"})},
		{later.UnixNano(), "", with(labels, map[string]string{"verb": "delete", "responseStatus_code": "403"})},
	})
}
