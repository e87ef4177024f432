//! The `device-native` room.
