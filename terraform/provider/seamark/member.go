package seamark

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type member struct {
	Login        *string      `tfsdk:"login" json:"-"`
	Role         *string      `tfsdk:"role" json:"role"`
	Restriction  *restriction `tfsdk:"restriction" json:"restriction,omitempty"`
	Status       types.String `tfsdk:"status" json:"-"`
	MemberID     types.String `tfsdk:"member_id" json:"-"`
	InvitationID types.String `tfsdk:"invitation_id" json:"-"`
	delivery
}

// What status says of a member.
const (
	statusMember  = "member"
	statusInvited = "invited"
)

func memberKind() crud.Kind {
	attributes := deliveryAttributes(map[string]schema.Attribute{
		"login":         required("The person's login, which is their e-mail address.", fixed),
		"role":          required("`viewer`, `editor`, `admin`, `owner`, or a role of the tenant's own."),
		"restriction":   restrictionAttribute("The part of the tenant that they see; all unless told."),
		"status":        schema.StringAttribute{Computed: true, MarkdownDescription: "`member`, or `invited` until they have accepted."},
		"member_id":     schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the member; none while invited."},
		"invitation_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the invitation that is open; none of members."},
	})
	// A change of an invitation makes another one, so that what it seals is not known before.
	attributes["sealed_secret"] = schema.StringAttribute{
		Computed: true, MarkdownDescription: "The invitation's token, encrypted to `seal_to`, in base64; none of who is a member already.",
	}
	return &crud.Spec[member]{
		Name:    "member",
		Summary: "A person in the tenant.",
		Text: "Who is a member already is taken over. Everybody else is invited, for seven days, and is a member when they have accepted; an invitation that ended is made " +
			"again with the next apply. Seamark sends no mail: the invitation's token goes where `seal_to` or `secret_file` say, and to nobody else. Destroying it removes the member, " +
			"or revokes the invitation. The last owner stays one.",
		Key: []string{"login"}, Hidden: deliveryHidden(), Attributes: attributes,
		Create: createMember,
		Read:   readMember,
		Update: updateMember,
		Delete: func(ctx context.Context, a *crud.Access, m *member) error {
			if m.Status.ValueString() == statusInvited {
				return a.DeleteInvitation(ctx, m.InvitationID.ValueString())
			}
			return a.DeleteMember(ctx, m.MemberID.ValueString())
		},
	}
}

// createMember changes who is one and invites who is none.
func createMember(ctx context.Context, a *crud.Access, m *member) error {
	now := *m
	err := readMember(ctx, a, &now)
	switch {
	case client.IsNotFound(err):
		return m.invite(ctx, a)
	case err != nil:
		return err
	}
	return updateMember(ctx, a, m, &now)
}

func updateMember(ctx context.Context, a *crud.Access, m, prior *member) error {
	if prior.Status.ValueString() == statusInvited {
		if err := a.DeleteInvitation(ctx, prior.InvitationID.ValueString()); err != nil && !client.IsNotFound(err) {
			return err
		}
		return m.invite(ctx, a)
	}
	m.SealedSecret = types.StringNull()
	return crud.Send(m, func(body client.MemberChange) (*client.Member, error) {
		changed, err := a.UpdateMember(ctx, prior.MemberID.ValueString(), body, a.IfSame()...)
		if err == nil {
			m.isMember(changed)
		}
		return changed, err
	})
}

func (m *member) isMember(who *client.Member) {
	m.Status, m.MemberID, m.InvitationID = types.StringValue(statusMember), types.StringValue(who.ID), types.StringNull()
}

func (m *member) isInvited(id string) {
	m.Status, m.MemberID, m.InvitationID = types.StringValue(statusInvited), types.StringNull(), types.StringValue(id)
}

func (m *member) invite(ctx context.Context, a *crud.Access) error {
	if m.imported() {
		return &crud.Advice{
			Summary: "Nobody would get the invitation of " + crud.Text(m.Login),
			Detail:  "They are no member yet. Set seal_to or secret_file, so that the invitation's token goes somewhere, or have them join first.",
		}
	}
	if err := m.open(); err != nil {
		return err
	}
	body := client.InvitationCreation{Email: m.Login}
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	made, err := a.CreateInvitation(ctx, body)
	if err != nil {
		return err
	}
	a.Made()
	m.isInvited(made.ID)
	if err := m.deliver(made.Token); err != nil {
		return err
	}
	return crud.Into(m)(made, nil)
}

// readMember finds the person among the members, or else among the open invitations.
func readMember(ctx context.Context, a *crud.Access, m *member) error {
	who, err := first(ctx, "member "+crud.Text(m.Login), func(ctx context.Context, cursor *string) ([]client.Member, string, error) {
		page, err := a.ListMembers(ctx, &client.ListMembersParams{Cursor: cursor, Limit: new(pageLimit)})
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	}, func(c *client.Member) bool { return strings.EqualFold(c.Login, crud.Text(m.Login)) })
	if err == nil {
		m.isMember(who)
		return crud.Into(m)(a.FindMember(ctx, who.ID, a.Keep())) // for the ETag
	}
	if !client.IsNotFound(err) {
		return err
	}
	invitation, err := first(ctx, "member or open invitation of "+crud.Text(m.Login), func(ctx context.Context, cursor *string) ([]client.Invitation, string, error) {
		page, err := a.ListInvitations(ctx, &client.ListInvitationsParams{Cursor: cursor, Limit: new(pageLimit)})
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	}, func(i *client.Invitation) bool {
		return strings.EqualFold(i.Email, crud.Text(m.Login)) && i.AcceptedAt == nil && i.RevokedAt == nil && i.ExpiresAt.After(time.Now())
	})
	if err != nil {
		return err
	}
	m.isInvited(invitation.ID)
	return crud.Into(m)(invitation, nil)
}
