// Package admin is the office: products and their prices, stock at every location, and the ledger behind each figure.
package admin

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/web/access"
	"counterpart/web/layout"
)

// Pages are the admin's.
type Pages struct {
	DB    pg.DB
	Site  *access.Routes
	Files *files.Store
	// Gateway is the name of the one that takes cards; empty: there are no links to pay.
	Gateway string
	Base    string // the shop's own address
}

// Routes is the site map of the admin.
func (p *Pages) Routes(r *access.Routes) {
	r.Get("/admin", access.Office, p.home)
	r.Post("/admin/sample", access.Admin, p.sampleGoods)
	r.Get("/admin/find", access.Office, p.find)
	r.Get("/admin/jobs", access.Admin, p.jobs)
	r.Get("/admin/products", access.Stock, p.products)
	r.Get("/admin/products/{id}", access.Stock, p.product)
	r.Get("/admin/products/{id}/figures", access.Manage, p.productFigures)
	r.Get("/admin/products.csv", access.Stock, p.productsCSV)
	r.Get("/admin/products/new", access.Admin, p.newProduct)
	r.Post("/admin/products", access.Admin, p.createProduct)
	r.Post("/admin/products/{id}", access.Admin, p.saveProduct)
	r.Post("/admin/products/{id}/options", access.Admin, p.saveOptions)
	r.Post("/admin/products/{id}/variants", access.Admin, p.saveVariants)
	r.Post("/admin/products/{id}/attributes", access.Admin, p.saveAttributes)
	r.Post("/admin/products/{id}/related", access.Admin, p.saveRelated)
	r.Post("/admin/products/{id}/duplicate", access.Admin, p.duplicateProduct)
	r.Post("/admin/products/{id}/sale", access.Admin, p.planSale)
	r.Post("/admin/products/{id}/sale/end", access.Admin, p.endSale)
	r.Upload("/admin/products/{id}/pictures", access.Admin, p.addPictures)
	r.Post("/admin/products/{id}/pictures/order", access.Admin, p.orderPictures)
	r.Post("/admin/products/{id}/pictures/{picture}", access.Admin, p.savePicture)
	r.Post("/admin/products/{id}/pictures/{picture}/remove", access.Admin, p.removePicture)
	r.Upload("/admin/products/{id}/files", access.Admin, p.addFile)
	r.Post("/admin/products/{id}/files/{file}/remove", access.Admin, p.removeFile)
	r.Get("/admin/departments", access.Admin, p.departments)
	r.Post("/admin/departments", access.Admin, p.saveDepartment)
	r.Post("/admin/departments/{id}/move", access.Admin, p.moveDepartment)
	r.Post("/admin/departments/{id}/remove", access.Admin, p.removeDepartment)
	r.Post("/admin/attributes", access.Admin, p.saveAttribute)
	r.Post("/admin/views", access.Office, p.saveView)
	r.Post("/admin/views/{id}/remove", access.Office, p.dropView)
	r.Post("/admin/variants/{id}/rule", access.Admin, p.setRule)
	r.Post("/admin/variants/{id}/break", access.Admin, p.setBreak)
	r.Get("/admin/orders", access.Manage, p.orders)
	r.Get("/admin/orders/drafts", access.Manage, p.drafts)
	r.Post("/admin/orders/drafts", access.Manage, p.beginDraft)
	r.Get("/admin/orders/drafts/{id}", access.Manage, p.draft)
	r.Post("/admin/orders/drafts/{id}", access.Manage, p.saveDraft)
	r.Post("/admin/orders/drafts/{id}/drop", access.Manage, p.dropDraft)
	r.Get("/admin/orders.csv", access.Manage, p.ordersCSV)
	r.Get("/admin/orders/{id}", access.Manage, p.order)
	r.Get("/admin/orders/{id}/slip/{part}", access.Manage, p.slip)
	r.Post("/admin/orders/{id}/hold", access.Manage, p.holdOrder)
	r.Post("/admin/orders/{id}/release", access.Manage, p.releaseOrder)
	r.Post("/admin/orders/{id}/contact", access.Manage, p.setContact)
	r.Post("/admin/orders/{id}/tags", access.Manage, p.tagOrder)
	r.Post("/admin/orders/{id}/notes", access.Manage, p.noteOrder)
	r.Post("/admin/orders/{id}/mail", access.Manage, p.mailOrder)
	r.Post("/admin/orders/{id}/parts/{part}/address", access.Manage, p.setAddress)
	r.Post("/admin/orders/{id}/parts/{part}/tracking", access.Manage, p.setTracking)
	r.Post("/admin/orders/{id}/parcels/{parcel}/remove", access.Manage, p.removeParcel)
	r.Post("/admin/orders/{id}/cancel", access.Manage, p.cancelOrder)
	r.Post("/admin/orders/{id}/refund", access.Manage, p.refundOrder)
	r.Post("/admin/orders/{id}/lines/{line}/cancel", access.Manage, p.cancelUnits)
	r.Post("/admin/orders/{id}/lines/{line}/move", access.Manage, p.moveLine)
	r.Get("/admin/stock", access.Stock, p.stock)
	r.Get("/admin/stock/{location}/{variant}", access.Stock, p.ledger)
	r.Get("/admin/stock.csv", access.Stock, p.stockCSV)
	r.Post("/admin/stock/{location}/{variant}/move", access.Stock, p.moveStock)
	r.Post("/admin/stock/{location}/{variant}/shelf", access.Stock, p.setShelf)
	r.Post("/admin/stock/{location}/{variant}/receive", access.Stock, p.receive)
	r.Post("/admin/stock/{location}/{variant}/count", access.Stock, p.count)
	r.Get("/admin/customers", access.People, p.customers)
	r.Get("/admin/customers.csv", access.Manage, p.customersCSV)
	r.Get("/admin/customers/new", access.Manage, p.newCustomer)
	r.Post("/admin/customers", access.Manage, p.addCustomer)
	r.Get("/admin/customers/{id}", access.People, p.customer)
	r.Post("/admin/customers/{id}", access.Manage, p.editCustomer)
	r.Post("/admin/customers/{id}/addresses", access.Manage, p.saveAddressOf)
	r.Post("/admin/customers/{id}/addresses/{address}/remove", access.Manage, p.dropAddress)
	r.Post("/admin/customers/{id}/credit", access.Manage, p.giveCredit)
	r.Post("/admin/customers/{id}/notes", access.Manage, p.noteCustomer)
	r.Get("/admin/segments", access.Market, p.segments)
	r.Get("/admin/segments/new", access.Market, p.newSegment)
	r.Post("/admin/segments", access.Market, p.saveSegment)
	r.Get("/admin/segments/{id}", access.Market, p.segmentPage)
	r.Post("/admin/segments/{id}", access.Market, p.saveSegment)
	r.Post("/admin/segments/{id}/archive", access.Market, p.archiveSegment)
	r.Get("/admin/messages", access.Market, p.messages)
	r.Post("/admin/messages", access.Market, p.setMessages)
	r.Get("/admin/suggestions", access.Market, p.suggestions)
	r.Post("/admin/suggestions/{reason}", access.Market, p.setSuggestion)
	r.Get("/admin/points", access.Market, p.points)
	r.Post("/admin/points", access.Market, p.setPoints)
	r.Get("/admin/tiers/new", access.Market, p.newTier)
	r.Get("/admin/tiers/{id}", access.Market, p.tier)
	r.Post("/admin/tiers", access.Market, p.saveTier)
	r.Post("/admin/tiers/{id}", access.Market, p.saveTier)
	r.Post("/admin/tiers/{id}/archive", access.Market, p.archiveTier)
	r.Get("/admin/suggestions/places/{place}", access.Market, p.slot)
	r.Post("/admin/suggestions/places/{place}", access.Market, p.setSlot)
	r.Get("/admin/gift-cards", access.Manage, p.giftCards)
	r.Get("/admin/gift-cards.csv", access.Manage, p.giftCardsCSV)
	r.Post("/admin/gift-cards", access.Manage, p.giveGiftCard)
	r.Post("/admin/gift-cards/{id}/disable", access.Manage, p.disableGiftCard)
	r.Post("/admin/customers/{id}/tags", access.People, p.tag)
	r.Post("/admin/customers/{id}/consent", access.Manage, p.consent)
	r.Post("/admin/customers/{id}/shut", access.Manage, p.shut)
	r.Post("/admin/customers/{id}/export", access.Manage, p.export)
	r.Post("/admin/customers/{id}/unmerge", access.ManageFully, p.unmerge)
	r.Post("/admin/customers/{id}/erase", access.AdminFully, p.erase)
	r.Get("/admin/promotions", access.Market, p.promotions)
	r.Get("/admin/promotions.csv", access.Market, p.promotionsCSV)
	r.Get("/admin/promotions/new", access.Market, p.newPromotion)
	r.Post("/admin/promotions", access.Market, p.savePromotion)
	r.Get("/admin/promotions/{id}", access.Market, p.promotion)
	r.Post("/admin/promotions/{id}", access.Market, p.savePromotion)
	r.Post("/admin/promotions/{id}/move", access.Market, p.movePromotion)
	r.Post("/admin/promotions/{id}/copy", access.Market, p.copyPromotion)
	r.Post("/admin/promotions/{id}/codes", access.Market, p.addCodes)
	r.Post("/admin/promotions/{id}/codes/{coupon}/disable", access.Market, p.disableCode)
	r.Get("/admin/payments", access.Admin, p.payments)
	r.Get("/admin/payments.csv", access.Admin, p.paymentsCSV)
	r.Get("/admin/journal.csv", access.Admin, p.journal)
	r.Post("/admin/payments/{id}/close", access.Admin, p.closeDifference)
	r.Post("/admin/customers/{id}/tier", access.People, p.grantTier)
	r.Get("/admin/settings", access.Admin, p.settings)
	r.Post("/admin/settings/policy", access.Admin, p.savePolicy)
	r.Post("/admin/settings/delivery", access.Admin, p.saveDelivery)
	r.Post("/admin/settings/seller", access.Admin, p.saveSeller)
	r.Post("/admin/settings/tax", access.Admin, p.saveTax)
	r.Post("/admin/settings/tax/plans/{plan}/remove", access.Admin, p.dropTaxPlan)
	r.Post("/admin/settings/classes", access.Admin, p.addTaxClass)
	r.Post("/admin/settings/carriers", access.Admin, p.saveCarriers)
	r.Get("/admin/look", access.Admin, p.look)
	r.Post("/admin/look", access.Admin, p.saveLook)
	r.Post("/admin/look/details", access.Admin, p.saveDetails)
	r.Upload("/admin/look/logo", access.Admin, p.setLogo)
	r.Post("/admin/look/logo/remove", access.Admin, p.removeLogo)
	r.Get("/admin/pages", access.Admin, p.contentPages)
	r.Get("/admin/pages/new", access.Admin, p.newContent)
	r.Post("/admin/pages", access.Admin, p.addContent)
	r.Get("/admin/pages/{id}", access.Admin, p.content)
	r.Post("/admin/pages/{id}", access.Admin, p.saveContent)
	r.Get("/admin/places", access.Admin, p.placeList)
	r.Get("/admin/places/new", access.Admin, p.newPlace)
	r.Post("/admin/places", access.Admin, p.openPlace)
	r.Get("/admin/places/{id}", access.Admin, p.place)
	r.Post("/admin/places/{id}", access.Admin, p.savePlace)
	r.Post("/admin/places/{id}/close", access.AdminFully, p.closePlace)
	r.Post("/admin/places/{id}/days", access.Admin, p.addDay)
	r.Post("/admin/places/{id}/days/remove", access.Admin, p.removeDay)
	r.Upload("/admin/places/{id}/calendar", access.Admin, p.importDays)
	r.Get("/admin/staff", access.Admin, p.staff)
	r.Post("/admin/staff", access.AdminFully, p.hire)
	r.Get("/admin/staff/{id}", access.Admin, p.associate)
	r.Post("/admin/staff/{id}", access.AdminFully, p.changeAssociate)
	r.Post("/admin/staff/{id}/renew", access.AdminFully, p.renew)
	r.Post("/admin/staff/{id}/handover", access.AdminFully, p.handOver)
	r.Get("/admin/devices", access.Manage, p.devices)
	r.Post("/admin/devices/{id}/revoke", access.ManageFully, p.revoke)
	r.Post("/admin/devices/{id}/unlock", access.ManageFully, p.unlock)
	r.Get("/admin/trail", access.Manage, p.trail)
	r.Get("/admin/trail.csv", access.Manage, p.trailCSV)
}

func frame(r *http.Request, title, section string) layout.Admin {
	role := access.Session(r.Context()).Associate.Role
	a := layout.Admin{Title: title, Section: section, Associate: access.Session(r.Context()).Associate.Name,
		May: map[string]bool{
			"stock":  role == staff.RoleAdmin || role == staff.RoleManager || role == staff.RoleStock,
			"people": role == staff.RoleAdmin || role == staff.RoleManager || role == staff.RoleMarketing,
			"market": role == staff.RoleAdmin || role == staff.RoleMarketing,
			"manage": role == staff.RoleAdmin || role == staff.RoleManager,
			"admin":  role == staff.RoleAdmin,
		}}
	switch r.URL.Query().Get("done") {
	case "created":
		a.Done = text.T(r.Context(), "Saved as a draft. Add pictures, check the variants, then put it on sale.")
	case "duplicated":
		a.Done = text.T(r.Context(), "This is the copy, as a draft with SKUs of its own.")
	case "given":
		a.Done = text.T(r.Context(), "The gift card is on its way.")
	case "view":
		a.Done = text.T(r.Context(), "Saved. You’ll find this list above the table.")
	case "refunded":
		a.Done = text.T(r.Context(), "Refunded. It’s below under “Returns and refunds”, with its credit note under “Documents” in a moment.")
	case "cancelled":
		a.Done = text.T(r.Context(), "Cancelled.")
	case "mailed":
		a.Done = text.T(r.Context(), "Sent again.")
	case "placed":
		a.Done = text.T(r.Context(), "Placed. There’s no email address, so tell the customer yourself.")
	case "sent":
		a.Done = text.T(r.Context(), "Placed. The customer gets an email.")
	case "received":
		a.Done = text.T(r.Context(), "Booked in.")
	case "kept":
		a.Done = text.T(r.Context(), "Saved.")
	case "exported":
		a.Done = text.T(r.Context(), "We’re sending the link to their verified address.")
	case "unmerged":
		a.Done = text.T(r.Context(), "The profiles are separate again. Anything since the merge stays with this one.")
	case "erased":
		a.Done = text.T(r.Context(), "Erased. Records we have to keep by law no longer contain personal data.")
	case "counted":
		a.Done = text.T(r.Context(), "Stock corrected, with the reason in the ledger.")
	}
	return a
}

func id(r *http.Request, name string) int64 {
	n, err := strconv.ParseInt(chi.URLParam(r, name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func typed(s string) string { return text.Clean(s, 300) }

func page(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return max(1, min(n, 100_000))
}

func idText(r *http.Request) string { return strconv.FormatInt(id(r, "id"), 10) }
