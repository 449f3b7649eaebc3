couler 1

schema Flight { carrier: string, dist: int }
transform top(f: Flight) {
    order by f.dist desc  //! CW0415 take a table
    limit 3               //! CW0415 `limit` goes over the rows of a table, and this is one row
    distinct              //! CW0415 goes over the rows of a table
}
