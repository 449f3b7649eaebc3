couler 1

// Three seasons of penguins at Palmer Station, as the field books have them: checked against a strict
// schema, cleaned, summed up by species, island and sex, and searched for birds out of the ordinary.

enum Island { Biscoe, Dream, Torgersen }
enum Sex { MALE, FEMALE }
enum Answer { Yes, No }

/// A line of the field books: one adult at its nest. Columns that are not named here are skipped.
schema Sample {
    study:      string from "studyName" where matches(study, r"^PAL\d{4}$")
    number:     int from "Sample Number" where number >= 1
    species:    string from "Species" where matches(species, r"^\w+ [Pp]enguin \(")
    island:     Island from "Island"
    clutch:     Answer from "Clutch Completion"
    egg:        timestamp from "Date Egg" where year(egg) in 2007..2010
    bill_mm:    float? from "Culmen Length (mm)" where bill_mm > 20 and bill_mm < 80
    depth_mm:   float? from "Culmen Depth (mm)" where depth_mm > 5 and depth_mm < bill_mm
    flipper_mm: int? from "Flipper Length (mm)" where flipper_mm in 150..250
    mass_g:     int? from "Body Mass (g)" where mass_g in 2000..7000
    sex:        Sex? from "Sex"
    comment:    string from "Comments"
}

/// A bird that was measured: "Gentoo penguin (Pygoscelis papua)" is a gentoo, "NA" is no comment.
transform bird(s: Sample) {
    where s.mass_g != none and s.bill_mm != none and s.flipper_mm != none
    species = lower(extract(s.species, r"^(\w+)") ?? s.species)
    island = s.island
    sex = s.sex
    season = year(s.egg)
    mass_kg = s.mass_g / 1000
    bill_mm = s.bill_mm
    flipper_mm = s.flipper_mm
    paired = s.clutch == Yes
    comment = if s.comment == "NA" { none } else { s.comment }
}

/// What is usual for a species, an island and a sex.
transform usual(birds: table<bird>) {
    where birds.sex != none
    group by birds.species, birds.island, birds.sex
    count = count()
    mass_kg = round(mean(birds.mass_kg), 3)
    spread_kg = round(stddev(birds.mass_kg), 3)
    flipper_mm = quantile(birds.flipper_mm, 0.5)
    paired = round(mean(if birds.paired { 1 } else { 0 }), 3)
    order by species
}

/// Birds whose mass is far from what is usual for their kind, the oddest first. A bird of unknown sex
/// has no kind: what is none joins nothing.
transform odd(birds: table<bird>, kinds: table<usual>, far: float = 2.0) {
    join kinds on birds.species == kinds.species and
        birds.island == kinds.island and
        birds.sex == kinds.sex
    z = (birds.mass_kg - kinds.mass_kg) / kinds.spread_kg
    where abs(z) > far
    ...birds without comment
    usual_kg = kinds.mass_kg
    order by abs(z) desc
}

workflow penguins(samples: file<csv> = "penguins-raw.csv", far: float = 2.25)
    -> (summary: file<csv>, odd: file<csv>)
{
    let birds = read<Sample>(samples) |> bird
    let kinds = birds |> usual
    return (
        summary: write<csv>(kinds, "summary.csv"),
        odd: write<csv>(birds |> odd(kinds, far), "odd.csv"),
    )
}

target cluster = argo { image: "couler:1", artifacts: s3(bucket: "penguins") }

test "a bird is cleaned" {
    let line = Sample(
        study: "PAL0708",
        number: 1,
        species: "Gentoo penguin (Pygoscelis papua)",
        island: Biscoe,
        clutch: Yes,
        egg: timestamp("2007-11-27T00:00:00Z"),
        bill_mm: 46.1,
        flipper_mm: 211,
        mass_g: 4500,
        sex: FEMALE,
        comment: "NA",
    )
    expect bird(line).species == "gentoo"
    expect bird(line).mass_kg == 4.5
    expect bird(line).comment == none
    expect bird(Sample(...line, mass_g: none)) == none
}
