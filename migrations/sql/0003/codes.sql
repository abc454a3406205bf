-- Whether the device at which a code was asked for, or entered, had passed a second factor before. NULL is no, and rows of release
-- 0.1.0 do not say: they count with those of devices that have not.
ALTER TABLE one_time_codes ADD COLUMN
    stepped_up boolean;
ALTER TABLE code_attempts ADD COLUMN
    stepped_up boolean;
