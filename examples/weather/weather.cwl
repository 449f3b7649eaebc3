couler 1

// Four years of weather in Seattle: cleaned, cut by year, each year summed up, the years compared.

/// Drops rows with a missing or impossible reading and says how many there were.
task clean(readings: file<csv>) -> (rows: file<csv> = "clean.csv", dropped: int) {
    run python """
        import csv

        dropped = 0
        with open(readings, newline="") as source, open(rows, "w", newline="") as out:
            reader = csv.DictReader(source)
            writer = csv.DictWriter(out, reader.fieldnames, lineterminator="\n")
            writer.writeheader()
            for row in reader:
                try:
                    possible = (
                        float(row["temp_max"]) >= float(row["temp_min"])
                        and float(row["precipitation"]) >= 0
                        and float(row["wind"]) >= 0
                    )
                except (TypeError, ValueError):
                    possible = False
                if possible:
                    writer.writerow(row)
                else:
                    dropped += 1
        """
}

/// One file for each year that occurs.
task by_year(rows: file<csv>) -> (years: list<int>, parts: dir) {
    run python """
        import csv, os

        os.mkdir(parts)
        found = {}
        with open(rows, newline="") as source:
            reader = csv.DictReader(source)
            for row in reader:
                found.setdefault(int(row["date"][:4]), []).append(row)
            names = reader.fieldnames
        for year, its in found.items():
            with open(f"{parts}/{year}.csv", "w", newline="") as out:
                writer = csv.DictWriter(out, names, lineterminator="\n")
                writer.writeheader()
                writer.writerows(its)
        years = sorted(found)
        """
}

/// What one year was like.
task summary(parts: dir, year: int)
    -> (rain_mm: float, warmest: float, coldest: float, sunny_days: int)
{
    run python """
        import csv

        with open(f"{parts}/{year}.csv", newline="") as source:
            days = list(csv.DictReader(source))
        rain_mm = round(sum(float(d["precipitation"]) for d in days), 1)
        warmest = max(float(d["temp_max"]) for d in days)
        coldest = min(float(d["temp_min"]) for d in days)
        sunny_days = sum(d["weather"] == "sun" for d in days)
        """
}

/// A table of the years, the wettest marked.
task compare(
    years: list<int>,
    rain: list<float>,
    warmest: list<float>,
    coldest: list<float>,
    title: string,
) -> (report: file<text> = "years.txt", wettest: int) {
    run python """
        wettest = years[rain.index(max(rain))]
        with open(report, "w") as out:
            out.write(title + "\n")
            out.write("year   rain mm   warmest   coldest\n")
            for year, r, w, c in zip(years, rain, warmest, coldest):
                mark = "  wettest" if year == wettest else ""
                out.write(f"{year} {r:9.1f} {w:9.1f} {c:9.1f}{mark}\n")
        """
}

workflow weather(readings: file<csv> = "seattle-weather.csv", title: string = "Seattle")
    -> (report: file<text>, wettest: int, dropped: int)
{
    let cleaned = clean(readings)
    let cut = by_year(cleaned.rows)
    let seen = for year in cut.years {
        summary(cut.parts, year)
    }
    let table = compare(
        years: cut.years,
        rain: seen.rain_mm,
        warmest: seen.warmest,
        coldest: seen.coldest,
        title: title,
    )
    return (report: table.report, wettest: table.wettest, dropped: cleaned.dropped)
}

target cluster = argo { image: "python:3.11-slim", artifacts: s3(bucket: "weather") }
