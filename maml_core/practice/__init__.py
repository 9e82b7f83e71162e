"""Room 4: what people do with it: any module, real libraries, claims put to the test."""
