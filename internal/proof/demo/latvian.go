package demo

// What the demo's departments are called in Latvian: a shop in two languages, whose products are not translated yet, as
// most are that begin with the second.
var latvian = map[string]string{
	"Clothing": "Apģērbs", "Accessories": "Aksesuāri", "Bags": "Somas", "Coats & knitwear": "Mēteļi un adījumi",
	"Shoes": "Apavi", "Tops & bottoms": "Krekli un bikses",
	"Garden & Outdoors": "Dārzs un daba", "Camping": "Pārgājieniem", "Plants": "Augi", "Tools": "Darbarīki",
	"Home & Living": "Mājoklis", "Bath": "Vannasistaba", "Furniture": "Mēbeles", "Light": "Gaisma",
	"Making": "Rokdarbi", "On the wall": "Pie sienas",
	"Kitchen & Table": "Virtuve un galds", "Cooking": "Gatavošana", "Glassware": "Stikls", "Larder": "Pieliekamais",
	"Tableware": "Trauki", "Tea & coffee": "Tēja un kafija",
	"Music & Study": "Mūzika un mācības", "Instruments": "Instrumenti", "Listening": "Klausīšanās",
	"Looking": "Skatīšanās", "Paper & pens": "Papīrs un pildspalvas",
	"Toys & Games": "Rotaļlietas un spēles", "Games": "Spēles", "Outdoor play": "Rotaļas laukā",
	"Soft & small": "Mīkstie un mazie",
}
