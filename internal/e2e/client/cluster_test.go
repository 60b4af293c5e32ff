package client_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// createCluster creates one twice with one key, as who has not heard the first answer.
func createCluster(t *testing.T, w *world) error {
	t.Helper()
	var made client.Meta
	first, err := w.admin.CreateCluster(t.Context(), client.ClusterCreation{Name: "created"}, client.IdempotencyKey("cluster"), client.Into(&made))
	if err != nil {
		return err
	}
	again, err := w.admin.CreateCluster(t.Context(), client.ClusterCreation{Name: "created"}, client.IdempotencyKey("cluster"))
	if err != nil {
		return err
	}
	if again.ID != first.ID || made.ETag == "" {
		t.Errorf("got %q with the ETag %q and, asked again with the same key, %q", first.ID, made.ETag, again.ID)
	}
	if _, err := w.admin.CreateCluster(t.Context(), client.ClusterCreation{Name: "created"}); !client.IsConflict(err) {
		t.Errorf("a name that is taken: got %v, want 409", err)
	}
	return nil
}

// deleteCluster deletes what has a token, as Terraform does: what is gone already is no error for it.
func deleteCluster(t *testing.T, w *world) error {
	t.Helper()
	var read client.Meta
	made, err := w.admin.CreateCluster(t.Context(), client.ClusterCreation{Name: "ends"})
	if err != nil {
		return err
	}
	token, err := w.admin.CreateToken(t.Context(), client.TokenCreation{Kind: client.TokenCreationKindIngest, ClusterID: &made.ID})
	if err != nil {
		return err
	}
	if _, err := w.admin.FindCluster(t.Context(), made.ID, client.Into(&read)); err != nil {
		return err
	}
	if err := w.admin.DeleteCluster(t.Context(), made.ID, client.IfMatch(read.ETag)); err != nil {
		return err
	}
	if err := w.as(t, token.Secret).PushLoki(t.Context(), jsonBody(w.lines("ended"))); !client.IsStatus(err, 401) {
		t.Errorf("a push with the token of the deleted cluster: got %v, want 401", err)
	}
	if err := w.admin.DeleteCluster(t.Context(), made.ID); !client.IsNotFound(err) {
		t.Errorf("deleted twice: got %v, want 404", err)
	}
	clusterChanges(t, w, made.ID)
	return nil
}

// clusterChanges waits until the log of changes tells of the creation, the deletion and the one that found nothing.
func clusterChanges(t *testing.T, w *world, id string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		list, err := w.admin.ListChanges(t.Context(), &client.ListChangesParams{Object: new("cluster/" + id)})
		if err != nil {
			return err
		}
		var got []string
		for _, c := range list.Items {
			got = append(got, c.Action+" "+c.Result)
		}
		if want := []string{"cluster.delete seamark-cluster-unknown", "cluster.delete done", "cluster.create done"}; !slices.Equal(got, want) {
			return fmt.Errorf("the log of changes tells of %q, want %q", got, want)
		}
		return nil
	})
}
