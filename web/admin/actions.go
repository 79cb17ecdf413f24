package admin

import (
	"context"

	"counterpart/internal/platform/text"
)

// actions of the audit trail, in words.
var actions = map[string]text.Message{
	"customer.merged":         text.M("profiles merged"),
	"customer.unmerged":       text.M("profiles separated"),
	"customer.erased":         text.M("erased"),
	"customer.exported":       text.M("data copy requested"),
	"customer.consent":        text.M("consent recorded"),
	"customer.added":          text.M("customer added"),
	"customer.changed":        text.M("details changed"),
	"customer.credit":         text.M("credit given"),
	"customer.address":        text.M("address changed"),
	"giftcard.given":          text.M("gift card given"),
	"giftcard.disabled":       text.M("gift card stopped"),
	"customer.tagged":         text.M("tag changed"),
	"customer.tier":           text.M("tier changed"),
	"customer.identified":     text.M("email or phone added"),
	"customer.unidentified":   text.M("email or phone removed"),
	"customer.disabled":       text.M("account suspended"),
	"customer.enabled":        text.M("account reactivated"),
	"associate.hired":         text.M("added"),
	"associate.changed":       text.M("role, stores or access changed"),
	"associate.renewed":       text.M("access reset"),
	"associate.password":      text.M("password changed"),
	"associate.pin":           text.M("PIN set"),
	"associate.language":      text.M("language set"),
	"associate.second_factor": text.M("two-step verification set up"),
	"approval.refused":        text.M("approval refused: wrong PIN"),
	"device.registered":       text.M("device registered"),
	"device.unlocked":         text.M("device unlocked"),
	"device.revoked":          text.M("device removed"),
	"phone.doubtful":          text.M("phone number to check"),
	"profiles.many":           text.M("many profiles opened in an hour"),
	"promotion.written":       text.M("promotion added"),
	"promotion.changed":       text.M("promotion changed"),
	"promotion.live":          text.M("promotion taken live"),
	"promotion.paused":        text.M("promotion paused"),
	"promotion.ended":         text.M("promotion ended"),
	"promotion.copied":        text.M("promotion copied"),
	"promotion.code_added":    text.M("code added"),
	"promotion.codes_added":   text.M("codes added"),
	"promotion.code_disabled": text.M("code disabled"),
	"variant.sold":            text.M("rules of sale changed"),
	"product.created":         text.M("product added"),
	"product.changed":         text.M("product changed"),
	"product.options":         text.M("options changed"),
	"product.variants":        text.M("variants changed"),
	"product.pictures":        text.M("pictures changed"),
	"product.attributes":      text.M("attributes changed"),
	"product.files":           text.M("files changed"),
	"product.related":         text.M("related products changed"),
	"price.sale":              text.M("sale planned"),
	"price.sale_ended":        text.M("sale ended"),
	"department.changed":      text.M("department changed"),
	"department.moved":        text.M("department moved"),
	"department.removed":      text.M("department removed"),
	"attribute.changed":       text.M("attribute changed"),
	"price.break":             text.M("quantity or members’ price changed"),
	"stock.shelf":             text.M("safety stock or bin changed"),
	"order.units_cancelled":   text.M("units cancelled"),
	"order.contact":           text.M("contact changed"),
	"order.address":           text.M("delivery address changed"),
	"order.moved":             text.M("item moved"),
	"order.held":              text.M("put on hold"),
	"order.released":          text.M("released"),
	"order.tagged":            text.M("tags changed"),
	"order.mailed":            text.M("email sent again"),
	"order.tracking":          text.M("tracking changed"),
	"return.approved":         text.M("return approved"),
	"shop.policy":             text.M("policy changed"),
	"shop.seller":             text.M("seller’s details changed"),
	"place.opened":            text.M("store or warehouse opened"),
	"place.changed":           text.M("store or warehouse changed"),
	"place.closed":            text.M("store or warehouse closed down"),
	"place.days":              text.M("special days changed"),
	"tax.rate":                text.M("tax rate changed"),
	"delivery.kept":           text.M("delivery method changed"),
	"difference.closed":       text.M("payment difference closed"),
}

// actionName is what was done, in words; one that has none yet is shown as it is kept.
func actionName(ctx context.Context, action string) string {
	if name, ok := actions[action]; ok {
		return name.In(text.Language(ctx))
	}
	return action
}
