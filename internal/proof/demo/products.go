package demo

import "strings"

// item is one line of the demo's assortment. Object names a rendering; Axes says how it comes: “Colour: Moss, Ink;
// Size: S, M”.
type item struct {
	Department, Section string
	Slug, Title, Brand  string
	Object              string
	Pence               int64
	Axes                string
	Text                string
}

const (
	colours = "Colour: Moss, Ink, Clay"
	soft    = "Colour: Oat, Slate, Rose"
	sizes   = "Size: S, M, L, XL"
	shoes   = "Size: 37, 38, 39, 40, 41, 42, 43"
)

// giftObject is the rendering of a gift card.
const giftObject = "1f381"

// Tints in which a cut-out is drawn; a colour that is not here is the object's own.
var tints = map[string]string{
	"Moss": "6f8a57", "Ink": "34527a", "Clay": "c4694a", "Oat": "cbb48c", "Slate": "6d7a86", "Rose": "c98a93",
	"Mustard": "d3a02c", "Plum": "7b4a72", "Sky": "6aa3c8", "Chalk": "d9d5cb", "Cherry": "b8343f",
}

var items = []item{
	{"Kitchen & Table", "Tea & coffee", "harbour-teapot", "Harbour teapot", "Tidewell", "1fad6", 4200,
		"Colour: Moss, Ink, Clay, Chalk",
		"A stoneware pot for four cups, with a spout that does not drip and a lid that stays on to the last pour. Thrown in small batches, so no two glazes are quite alike.\n\nHolds 1.1 litres. Dishwasher safe."},
	{"Kitchen & Table", "Tea & coffee", "morning-mug", "Morning mug", "Tidewell", "2615", 1400,
		"Colour: Chalk, Moss, Ink, Clay, Mustard",
		"The mug people reach for first. A thumb rest on the handle, a wide foot that is hard to knock over, and room for a proper cup.\n\n350 ml. Stoneware; microwave and dishwasher safe."},
	{"Kitchen & Table", "Tea & coffee", "travel-cup", "Corner café cup", "Northlight", "1f964", 1850, colours,
		"A double-walled cup for the way to work. The lid turns to close, and the whole thing comes apart in three pieces for washing.\n\n400 ml. Keeps a drink hot for about two hours."},
	{"Kitchen & Table", "Tableware", "everyday-plate-set", "Everyday plate set", "Tidewell", "1f37d-fe0f", 3600,
		"Colour: Chalk, Slate",
		"A dinner plate with a raised rim, and the fork and knife that go with it. Made to be stacked, chipped as little as possible, and used daily.\n\nPlate 26 cm. Cutlery in 18/10 steel."},
	{"Kitchen & Table", "Tableware", "breakfast-bowl", "Breakfast bowl and spoon", "Tidewell", "1f963", 1650,
		"Colour: Moss, Clay, Chalk",
		"Deep enough for porridge with fruit on top, small enough for one hand. The spoon reaches the last oat.\n\n15 cm across, 600 ml."},
	{"Kitchen & Table", "Glassware", "cellar-wine-glass", "Cellar wine glass", "Hollis Glass", "1f377", 1200, "",
		"A fine rim on a sturdy stem. It suits a light red as well as a white, and survives a full dishwasher.\n\n440 ml. Sold singly, so that a broken one is easily replaced."},
	{"Kitchen & Table", "Glassware", "kettle-tumbler", "Heavy tumbler", "Hollis Glass", "1f943", 950, "",
		"A tumbler with a thick base and a soft edge, for water at lunch or something stronger after dinner.\n\n300 ml. Pressed glass."},
	{"Kitchen & Table", "Cooking", "slow-pot", "Sunday casserole pot", "Forge & Field", "1f372", 8900, colours,
		"Cast iron under three coats of enamel. It goes from the hob to the oven to the middle of the table and keeps its heat through second helpings.\n\n4.2 litres. For all hobs, induction included."},
	{"Kitchen & Table", "Cooking", "one-egg-pan", "Seasoned skillet", "Forge & Field", "1f373", 3900,
		"Size: 20 cm, 24 cm, 28 cm",
		"Carbon steel, lighter than cast iron and just as keen to brown things. It comes seasoned; it only gets better.\n\nNot for the dishwasher."},
	{"Kitchen & Table", "Cooking", "cooks-knife", "Cook’s knife", "Forge & Field", "1f52a", 5400, "Size: 16 cm, 20 cm",
		"One good knife instead of a drawer of bad ones. Full tang, a blade that takes an edge easily, and a handle that sits well in small and large hands.\n\nWe sell knives to adults only."},
	{"Kitchen & Table", "Cooking", "serving-spoon", "Long serving spoon", "Forge & Field", "1f944", 1100, "",
		"For risotto, for trifle, for the bottom of the jar. Polished steel with a small hook so that it never slides into the pot."},
	{"Kitchen & Table", "Larder", "larder-jar", "Larder jar", "Hollis Glass", "1fad9", 850, "Size: 500 ml, 1 litre",
		"A straight-sided jar with a lid that seals. Stack them two deep and see at a glance that the lentils have run out."},
	{"Kitchen & Table", "Larder", "salt-shaker", "Table salt shaker", "Hollis Glass", "1f9c2", 750, "",
		"Pours rather than shakes, and closes against damp. Fill it with fine salt or with cinnamon sugar."},
	{"Kitchen & Table", "Larder", "bread-basket", "Willow basket", "Wend Valley", "1f9fa", 2800, "Size: Small, Large",
		"Woven from English willow by two people who have done nothing else for thirty years. For bread, for eggs, for the walk to the market."},

	{"Home & Living", "Light", "beeswax-candle", "Beeswax candle", "Wend Valley", "1f56f-fe0f", 1250, "",
		"Poured from beeswax and nothing else. It burns for about thirty hours and smells faintly of honey."},
	{"Home & Living", "Light", "filament-bulb", "Warm filament bulb", "Northlight", "1f4a1", 900, "Fitting: E27, B22",
		"The glow of an old bulb from four watts. It dims without humming and should see out ten winters."},
	{"Home & Living", "Light", "stairwell-torch", "Stairwell torch", "Northlight", "1f526", 2200,
		"Colour: Cherry, Ink, Mustard",
		"Hangs by the fuse box and is there when you need it. One charge lasts a year in the drawer and eight hours in use."},
	{"Home & Living", "Furniture", "reading-chair", "Reading chair", "Ash & Rowan", "1fa91", 24500,
		"Colour: Clay, Moss, Ink",
		"A small chair with a straight back, for a hallway or a desk. Solid ash, no screws in sight, and a seat at a height that knees like."},
	{"Home & Living", "Furniture", "two-seat-sofa", "Two-seat sofa and lamp", "Ash & Rowan", "1f6cb-fe0f", 89000,
		"Colour: Moss, Slate, Clay",
		"A sofa for two and a lamp to read by, sold together because that is how we use ours. Loose covers; the frame is guaranteed for fifteen years."},
	{"Home & Living", "Furniture", "single-bed", "Guest bed", "Ash & Rowan", "1f6cf-fe0f", 52000, "Colour: Slate, Oat",
		"A bed for whoever stays over, with a slatted base and a headboard made for leaning. Folds flat in ten minutes when the box room is needed."},
	{"Home & Living", "Furniture", "hall-mirror", "Hall mirror", "Ash & Rowan", "1fa9e", 7800, "",
		"An oval mirror in a turned frame, large enough for a last look before the door. Hangs from a single hook."},
	{"Home & Living", "On the wall", "picture-frame", "Gallery frame", "Ash & Rowan", "1f5bc-fe0f", 2600,
		"Size: A4, A3", "Oak, with real glass and an acid-free mount. Comes with a landscape in it that you are welcome to keep."},
	{"Home & Living", "On the wall", "kitchen-clock", "Mantel clock", "Northlight", "1f570-fe0f", 6400, "",
		"A clock for the shelf with a quiet movement and figures you can read from the table. Runs a year on one battery."},
	{"Home & Living", "Bath", "goats-milk-soap", "Oat soap", "Wend Valley", "1f9fc", 650,
		"Scent: Oat, Lavender, Rosemary",
		"Cut by hand from a loaf that cures for six weeks. It lasts, it does not crack, and it is kind to hands that garden."},
	{"Home & Living", "Bath", "hand-cream", "Hand cream", "Wend Valley", "1f9f4", 1400, "Scent: Unscented, Lavender",
		"A light cream that sinks in before the kettle boils. Made with almond oil and beeswax."},
	{"Home & Living", "Bath", "sea-sponge", "Bath sponge", "Wend Valley", "1f9fd", 550, "",
		"A soft cellulose sponge that dries quickly on the side of the bath and goes on the compost in the end."},
	{"Home & Living", "Bath", "scrubbing-brush", "Good broom", "Wend Valley", "1f9f9", 1900, "",
		"A beech handle at a sensible length and bristles that reach into corners. The head unscrews and can be replaced."},
	{"Home & Living", "Making", "merino-yarn", "Merino yarn", "Loom & Lark", "1f9f6", 890,
		"Colour: Rose, Moss, Ink, Mustard, Oat",
		"Springy four-ply from one flock, dyed in small vats. Two balls make a hat, six a jumper for a child.\n\n50 g, about 175 metres."},
	{"Home & Living", "Making", "cotton-thread", "Cotton thread", "Loom & Lark", "1f9f5", 320,
		"Colour: Cherry, Ink, Mustard, Moss",
		"Strong mercerised cotton on a wooden reel, for mending what is worth mending."},

	{"Clothing", "Coats & knitwear", "fell-coat", "Fell coat", "Loom & Lark", "1f9e5", 18900,
		"Colour: Ink, Moss, Clay; " + sizes,
		"A wool coat cut for walking: room across the shoulders, a storm flap, pockets set where hands fall. Lined in cotton that breathes.\n\nWoven in Yorkshire, 80 % wool."},
	{"Clothing", "Coats & knitwear", "lambswool-scarf", "Lambswool scarf", "Loom & Lark", "1f9e3", 3800,
		"Colour: Cherry, Ink, Moss, Oat",
		"Long enough to go round twice. Brushed on both sides until it is soft from the first cold morning."},
	{"Clothing", "Coats & knitwear", "wool-gloves", "Wool gloves", "Loom & Lark", "1f9e4", 2400, colours +
		"; Size: S, M, L", "Knitted in one piece without a seam at the fingertip. The cuff is long, so that no wrist is left out."},
	{"Clothing", "Coats & knitwear", "walking-socks", "Walking socks", "Loom & Lark", "1f9e6", 1400, soft +
		"; Size: 3–5, 6–8, 9–11",
		"Cushioned underfoot, thin above, and held up by a rib that leaves no mark. Merino with a little nylon for wear."},
	{"Clothing", "Tops & bottoms", "heavy-tee", "Heavy tee", "Plainsong", "1f455", 2600,
		"Colour: Sky, Moss, Rose, Slate; " + sizes,
		"Thick organic cotton that keeps its shape after fifty washes. Cut straight, a little long, with a collar that lies flat."},
	{"Clothing", "Tops & bottoms", "mill-jeans", "Mill jeans", "Plainsong", "1f456", 7900, "Size: 28, 30, 32, 34, 36",
		"A straight leg in 12-ounce denim. They start stiff and finish as yours. We hem them in store while you wait."},
	{"Clothing", "Tops & bottoms", "market-dress", "Market dress", "Plainsong", "1f457", 6900,
		"Colour: Moss, Plum, Clay; " + sizes,
		"A dress with pockets that hold a phone, and a waist that ties or does not. Washed linen; creases are part of it."},
	{"Clothing", "Tops & bottoms", "garden-shorts", "Garden shorts", "Plainsong", "1fa73", 3400, "Colour: Sky, Moss; " +
		sizes, "Knee-length cotton drill with a loop for secateurs. Good at the allotment, fine at the pub."},
	{"Clothing", "Accessories", "silk-tie", "Silk tie", "Plainsong", "1f454", 3600, "Colour: Ink, Plum, Cherry",
		"Woven, not printed, and lined so that the knot sits. For weddings, interviews and people who like ties."},
	{"Clothing", "Accessories", "reading-glasses", "Reading glasses", "Northlight", "1f453", 2900,
		"Strength: +1.0, +1.5, +2.0, +2.5",
		"Light frames with proper hinges, in the strengths that most people need. Leave a pair in every room."},
	{"Clothing", "Accessories", "sunglasses", "Shore sunglasses", "Northlight", "1f576-fe0f", 4500, "",
		"Polarised lenses that take the glare off wet roads and water. Come with a soft pouch."},
	{"Clothing", "Accessories", "canvas-cap", "Canvas cap", "Plainsong", "1f9e2", 1900, "Colour: Sky, Moss, Clay",
		"Six panels, a short peak and a brass buckle. Waxed lightly, so that a shower runs off."},
	{"Clothing", "Accessories", "long-umbrella", "Long umbrella", "Northlight", "1f302", 3900,
		"Colour: Plum, Ink, Moss",
		"Eight steel ribs and a beech crook. It turns inside out in a gale and back again without complaint."},
	{"Clothing", "Bags", "school-satchel", "Weekday rucksack", "Carry On", "1f392", 6500, "Colour: Clay, Ink, Moss",
		"One main pocket, one for a laptop, one for what always gets lost. Waxed canvas with straps that do not slip."},
	{"Clothing", "Bags", "cabin-case", "Cabin case", "Carry On", "1f9f3", 12500, "Colour: Ink, Moss, Cherry",
		"Fits the overhead locker of every airline we tried. Wheels that can be replaced, a handle that does not rattle."},
	{"Clothing", "Bags", "coin-purse", "Coin purse", "Carry On", "1f45b", 1800, "Colour: Rose, Clay, Plum",
		"A small purse with a clasp that closes with a good sound. Vegetable-tanned leather that darkens with use."},
	{"Clothing", "Bags", "desk-briefcase", "Desk briefcase", "Carry On", "1f4bc", 14500, "",
		"A case that stands by itself. Bridle leather, brass locks, and space for papers that nobody has scanned yet."},
	{"Clothing", "Shoes", "court-trainers", "Court trainers", "Plainsong", "1f45f", 7500, "Colour: Sky, Clay; " + shoes,
		"Low, light, with soles stitched on rather than glued. They can be resoled in store."},
	{"Clothing", "Shoes", "hill-boots", "Hill boots", "Plainsong", "1f97e", 13500, shoes,
		"A boot for all-day paths: full-grain leather, a stiff enough sole, and laces that stay tied. Break them in on the stairs."},
	{"Clothing", "Shoes", "ballet-flats", "Soft flats", "Plainsong", "1f97f", 5900, "Colour: Ink, Cherry; " + shoes,
		"A flat shoe that folds into a bag for the walk home. Lined in leather, with a sole that grips wet pavements."},

	{"Toys & Games", "Soft & small", "bear", "Bartholomew Bear", "Button Row", "1f9f8", 2800,
		"Colour: Oat, Rose, Slate",
		"A bear of the old sort, with joints that turn and a face that listens. Washable at thirty degrees, and has been.\n\nSuitable from birth. 32 cm."},
	{"Toys & Games", "Soft & small", "nesting-dolls", "Nesting dolls", "Button Row", "1fa86", 2400, "",
		"Five dolls, one inside another, turned from lime wood and painted by hand. The smallest is the size of a pea; not for children under three."},
	{"Toys & Games", "Soft & small", "yo-yo", "Beech yo-yo", "Button Row", "1fa80", 850, "Colour: Cherry, Sky, Mustard",
		"Two halves of beech on a steel axle. It sleeps for ten seconds in good hands, and we include a spare string."},
	{"Toys & Games", "Games", "jigsaw", "Thousand-piece jigsaw", "Button Row", "1f9e9", 1900,
		"Picture: Harbour, Orchard, Night train",
		"Thick board, a linen finish and no two pieces alike. About four evenings for two people."},
	{"Toys & Games", "Games", "dice", "Six good dice", "Button Row", "1f3b2", 700, "",
		"Cut square, balanced and loud on a table. In a tin with rules for three games nobody remembers."},
	{"Toys & Games", "Games", "dart-board", "Parlour dartboard", "Button Row", "1f3af", 3200, "",
		"Sisal, so that the holes close again. Comes with six darts and a strip for the wall behind."},
	{"Toys & Games", "Outdoor play", "kite", "Cliff-top kite", "High Meadow", "1fa81", 2600,
		"Colour: Sky, Cherry, Mustard",
		"A diamond with a long tail that flies in any wind you can stand in. Ripstop, with sixty metres of line."},
	{"Toys & Games", "Outdoor play", "football", "Park football", "High Meadow", "26bd", 2200, "Size: 4, 5",
		"Hand-stitched, thirty-two panels, and repaired rather than thrown away if you bring it back to us."},
	{"Toys & Games", "Outdoor play", "skateboard", "Maple skateboard", "High Meadow", "1f6f9", 6900,
		"Colour: Cherry, Sky, Moss",
		"Seven layers of Canadian maple, soft wheels for rough streets. Put together in store while you watch."},
	{"Toys & Games", "Outdoor play", "scooter", "Town scooter", "High Meadow", "1f6f4", 8900, "Colour: Sky, Cherry",
		"Folds in one movement and has a brake that works in the rain. Carries children from five and the adults who borrow it."},
	{"Toys & Games", "Outdoor play", "roller-skates", "Roller skates", "High Meadow", "1f6fc", 7200,
		"Size: 35, 36, 37, 38, 39, 40",
		"Four wheels, a toe stop and a padded boot. Indoors or along the front on a Sunday."},
	{"Toys & Games", "Outdoor play", "flying-disc", "Flying disc", "High Meadow", "1f94f", 1200,
		"Colour: Cherry, Sky, Mustard", "175 grams, flies straight, floats, and can be found in long grass."},
	{"Toys & Games", "Outdoor play", "badminton-set", "Badminton set", "High Meadow", "1f3f8", 2900, "",
		"Two rackets, three shuttlecocks and a net that goes up between two trees."},
	{"Toys & Games", "Outdoor play", "table-tennis-bat", "Table tennis bat", "High Meadow", "1f3d3", 1600, "",
		"A five-ply blade with rubber on both sides: grippy on one, steady on the other. With a ball to start at once."},

	{"Garden & Outdoors", "Plants", "potted-fig", "Potted fig", "Wend Valley", "1fab4", 2900, "Pot: Clay, Slate, Moss",
		"A young rubber fig in a hand-thrown pot. Likes a bright corner, a drink once a week and being left where it is."},
	{"Garden & Outdoors", "Plants", "desk-cactus", "Desk cactus", "Wend Valley", "1f335", 1200, "",
		"Needs less attention than any colleague. Water it when you remember; it will not hold it against you."},
	{"Garden & Outdoors", "Plants", "tulip-bulbs", "Tulip bulbs", "Wend Valley", "1f337", 680,
		"Colour: Rose, Cherry, Mustard, Plum",
		"Twelve bulbs of one colour, plump and ready to go in before the frost. They come back, if the squirrels let them."},
	{"Garden & Outdoors", "Plants", "sunflower-seed", "Sunflower seed", "Wend Valley", "1f33b", 340, "",
		"A packet for a sunny wall. Two metres by August, and the birds have the rest."},
	{"Garden & Outdoors", "Tools", "claw-hammer", "Claw hammer", "Forge & Field", "1f528", 2400, "",
		"Sixteen ounces of forged steel on a hickory handle. The claw takes out what the face put in."},
	{"Garden & Outdoors", "Tools", "tool-box", "Steel toolbox", "Forge & Field", "1f9f0", 4600, "Colour: Cherry, Ink",
		"Folded from one sheet, with a tray that lifts out. Strong enough to stand on, though we did not say so."},
	{"Garden & Outdoors", "Tools", "panel-saw", "Panel saw", "Forge & Field", "1fa9a", 2900, "",
		"Hardened teeth that cut on both strokes and a handle with a true right angle for marking out."},
	{"Garden & Outdoors", "Tools", "screwdriver", "Everyday screwdriver", "Forge & Field", "1fa9b", 950,
		"Tip: Slotted, Cross", "A tip that fits and does not slip, on a handle you can lean on."},
	{"Garden & Outdoors", "Tools", "step-ladder", "Orchard ladder", "Ash & Rowan", "1fa9c", 8900,
		"Size: 4 rungs, 6 rungs",
		"Ash rails, flat rungs, and feet that hold on grass. For apples, gutters and light bulbs."},
	{"Garden & Outdoors", "Tools", "pail", "Galvanised pail", "Forge & Field", "1faa3", 1500, "",
		"Ten litres, a seam that does not leak and a handle that stays cool. It will outlive the house."},
	{"Garden & Outdoors", "Camping", "two-person-tent", "Two-person tent", "High Meadow", "26fa", 16500,
		"Colour: Moss, Clay",
		"Pitches in five minutes with cold fingers. Stands up to a wet week in the Lakes, and packs to the size of a loaf."},
	{"Garden & Outdoors", "Camping", "field-compass", "Field compass", "High Meadow", "1f9ed", 3400, "",
		"A steady needle, a clear baseplate and a lid that protects it in a pocket. No battery, no signal, no problem."},
	{"Garden & Outdoors", "Camping", "sledge", "Ash sledge", "Ash & Rowan", "1f6f7", 7200, "",
		"Steam-bent runners and a rope worn soft. Bought for one snowy day, kept for grandchildren."},
	{"Garden & Outdoors", "Camping", "touring-bicycle", "Town bicycle", "High Meadow", "1f6b2", 49500,
		"Colour: Moss, Cherry, Ink; Frame: Small, Medium, Large",
		"Eight gears in the hub, mudguards that reach, lights that never need charging. Built in our workshop and serviced free for a year."},

	{"Music & Study", "Instruments", "parlour-guitar", "Parlour guitar", "Wren & Daughters", "1f3b8", 28500,
		"Colour: Cherry, Ink",
		"A small-bodied guitar with a big room in it. Set up in store, so that it plays in tune from the first evening."},
	{"Music & Study", "Instruments", "student-violin", "Student violin", "Wren & Daughters", "1f3bb", 22500,
		"Size: 1/2, 3/4, 4/4",
		"Spruce and maple, with fine tuners and a case. When a child outgrows it we take it back for half."},
	{"Music & Study", "Instruments", "trumpet", "Brass trumpet", "Wren & Daughters", "1f3ba", 32500, "",
		"Monel valves, a balanced slide and a tone the neighbours will come to like. With mouthpiece and case."},
	{"Music & Study", "Instruments", "march-drum", "Side drum", "Wren & Daughters", "1f941", 11500,
		"Colour: Cherry, Ink",
		"A birch shell and ten lugs, with sticks that are made to be lost and cheap to replace."},
	{"Music & Study", "Instruments", "stage-keyboard", "Portable piano", "Wren & Daughters", "1f3b9", 44500, "",
		"Sixty-one weighted keys and one good piano sound, rather than three hundred poor ones. Runs on batteries for an evening."},
	{"Music & Study", "Listening", "quiet-headphones", "Quiet headphones", "Northlight", "1f3a7", 15900,
		"Colour: Ink, Clay, Oat",
		"They take the train away and leave the music. Thirty hours on one charge, pads that can be changed, and a plug for when it runs out."},
	{"Music & Study", "Listening", "kitchen-radio", "Kitchen radio", "Northlight", "1f4fb", 9800,
		"Colour: Clay, Moss, Ink",
		"Three knobs: on, station, loud. A warm sound, FM and digital, and a handle for the garden."},
	{"Music & Study", "Looking", "field-camera", "Pocket camera", "Northlight", "1f4f7", 38500, "",
		"A camera that fits a coat and starts in a second. One lens, chosen well, and buttons for what matters."},
	{"Music & Study", "Looking", "star-telescope", "Back-garden telescope", "Northlight", "1f52d", 21500, "",
		"Shows the rings of Saturn from an ordinary street. Comes with a star map and the patience of our staff."},
	{"Music & Study", "Looking", "school-microscope", "School microscope", "Northlight", "1f52c", 12900, "",
		"Pond water becomes a zoo. Three lenses, a light from below, and ten slides ready to look at."},
	{"Music & Study", "Paper & pens", "sewn-notebook", "Sewn notebook", "Inkhorn", "1f4d4", 1250,
		"Ruling: Plain, Lined, Dotted",
		"Opens flat and stays there. Two hundred pages that take a fountain pen without showing it on the other side."},
	{"Music & Study", "Paper & pens", "fountain-pen", "Fountain pen", "Inkhorn", "1f58b-fe0f", 3800,
		"Nib: Fine, Medium, Broad",
		"A steel nib that starts every time and a barrel that does not roll off the desk. Takes cartridges or a converter."},
	{"Music & Study", "Paper & pens", "paint-box", "Painter’s palette", "Inkhorn", "1f3a8", 2700, "",
		"Twelve good pigments on a wooden palette, enough for a summer of skies."},
	{"Music & Study", "Paper & pens", "desk-globe", "Desk globe", "Inkhorn", "1f30d", 5900, "",
		"Up to date, turned by hand, and lit by whatever window it stands in. Settles arguments at dinner."},
}

// Objects are the renderings that the demo's pictures are composed from, each once.
func Objects() []string {
	all, seen := []string{giftObject}, map[string]bool{giftObject: true}
	for _, i := range items {
		if !seen[i.Object] {
			seen[i.Object] = true
			all = append(all, i.Object)
		}
	}
	return all
}

// axes reads “Colour: Moss, Ink; Size: S, M”.
func (i item) axes() (names []string, values [][]string) {
	if i.Axes == "" {
		return nil, nil
	}
	for _, axis := range strings.Split(i.Axes, "; ") {
		name, list, _ := strings.Cut(axis, ": ")
		names, values = append(names, name), append(values, strings.Split(list, ", "))
	}
	return names, values
}

// combinations of the axes' values, the first axis slowest.
func combinations(values [][]string) [][]string {
	all := [][]string{nil}
	for _, axis := range values {
		var next [][]string
		for _, head := range all {
			for _, value := range axis {
				next = append(next, append(append([]string{}, head...), value))
			}
		}
		all = next
	}
	return all
}
