"""What readers share: a record in the dress of any format -> its turns, its pictures, its boxes."""
